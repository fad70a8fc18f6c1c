"""What the rules about safety take for a credential, for code and for printing, and what they leave alone."""

import json
from contextlib import chdir
from pathlib import Path

import pytest

from flowmill.pipeline import Compiled
from flowmill.proving import prove
from flowmill.report import names, render
from flowmill.report.style import Style
from lint.workspace import WORKSPACE, lay_out

FLOW = """\
project: demo
environment: staging
server: etl-01
parameters: {{name: {{type: string, default: magpie}}}}
steps: [{{id: load, type: script, env: {{TOKEN: "${{{{ secrets.portal.token }}}}"}}, command: {command}}}]
"""
ABOUT_OTHER_THINGS = {"undeclared-secret", "unused-parameter", "unused-environment", "unused-server"}
NAME = "${{ parameters.name }}"


def proved(folder: Path, command: str | list[str]) -> Compiled:
    workspace = WORKSPACE.replace("  production: {ref: production}\n", "")
    root = lay_out(folder, {"flowmill.yaml": workspace, "demo/trips.yaml": FLOW.format(command=json.dumps(command))})
    with chdir(folder):
        return prove(root)


def codes(compiled: Compiled) -> set[str]:
    return {it.code for it in compiled.diagnostics} - ABOUT_OTHER_THINGS


def joined(*parts: str) -> str:
    """A token that stands nowhere in one piece, so that nobody's scanner takes this file for a leak."""
    return "".join(parts)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(joined("gh", "p_", "a1B2" * 9), id="GitHub"),
        pytest.param(joined("github", "_pat_", "a1B2" * 8), id="GitHub, fine-grained"),
        pytest.param(joined("gl", "pat-", "a1B2" * 5), id="GitLab"),
        pytest.param(joined("xox", "b-", "1234567890-abc"), id="Slack"),
        pytest.param(joined("https://hooks.slack.", "com/services/T0/B0/x1"), id="webhook"),
        pytest.param(joined("AK", "IA", "ABCDEFGH01234567"), id="AWS"),
        pytest.param(joined("AI", "za", "a1B2c" * 7), id="Google"),
        pytest.param(joined("sk_", "live_", "a1B2" * 6), id="Stripe"),
        pytest.param(joined("ey", "J", "a" * 12, ".ey", "J", "b" * 12, ".c1"), id="JWT"),
        pytest.param(joined("-----BEGIN RSA ", "PRIVATE KEY-----"), id="private key"),
        pytest.param("postgres://etl:magpie@db.example.org/trips", id="address"),
        pytest.param("load --passphrase=magpie", id="option"),
    ],
)
def test_a_credential_is_found_and_not_shown(text: str, tmp_path: Path) -> None:
    compiled = proved(tmp_path, ["load", text])
    assert codes(compiled) == {"hardcoded-secret"}
    for name in names():
        assert text.removeprefix("load ") not in render(compiled, name, Style())


@pytest.mark.parametrize(
    ("command", "code"),
    [
        pytest.param('psql "postgres://etl:$TOKEN@db.example.org/trips"', None, id="a variable in an address"),
        pytest.param("load --password-file token.txt", None, id="a file with a password"),
        pytest.param(["load", "--password", "$TOKEN"], None, id="a variable behind an option"),
        pytest.param(["sh", "-c", 'load "$1"', "sh", NAME], None, id="beside the code"),
        pytest.param(["Rscript", "-e", f"load('{NAME}')"], "code-injection", id="code of R"),
        pytest.param(["python3.12", "-c", f"load('{NAME}')"], "code-injection", id="a Python with its version"),
        pytest.param(["grep", "-c", NAME, "trips.csv"], None, id="an option of no interpreter"),
        pytest.param("printf '%s' ${TOKEN}", "secret-in-log", id="printf"),
        pytest.param("if true; then echo $TOKEN; fi", "secret-in-log", id="inside of an if"),
        pytest.param("echo $TOKENS", None, id="another variable"),
        pytest.param("echo $TOKEN > token", None, id="into a file"),
        pytest.param("set -o xtrace", "secret-in-log", id="the long name of -x"),
        pytest.param("set -eu", None, id="set without x"),
        pytest.param(["bash", "-ex", "-c", "load"], "secret-in-log", id="bash -x"),
        pytest.param("docker run --network none --cap-add=SYS_ADMIN it", "privileged-container", id="a capability"),
        pytest.param("docker run -v /:/machine it", "privileged-container", id="all files"),
        pytest.param("docker run -v /data:/data it", None, id="a folder"),
    ],
)
def test_a_command_is_as_safe_as_it_looks(command: str | list[str], code: str | None, tmp_path: Path) -> None:
    assert codes(proved(tmp_path, command)) == ({code} if code else set())
