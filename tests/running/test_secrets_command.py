"""`flowmill secrets`: what a server lacks is told by name, and a value that is set is seen by steps alone."""

import json
import os
import pty
import secrets
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from prefect.blocks.notifications import SlackWebhook
from prefect.blocks.system import Secret
from pydantic import SecretStr

from support.flows import FLOWMILL, Finished, flowmill, script, write_job
from support.prefect_server import PrefectServer, free_port
from support.proxy import UNAVAILABLE, Answer, Proxy, recording_proxy
from support.smtp import mail_server
from support.waiting import eventually

pytestmark = pytest.mark.prefect


@pytest.fixture
def canary() -> str:
    """A value that is found wherever it turns up."""
    return f"canary-{secrets.token_hex(12)}"


@pytest.fixture
def name() -> str:
    """A name that no other test has."""
    return f"s-{secrets.token_hex(6)}"


@pytest.fixture
def proxy(prefect_server: PrefectServer) -> Iterator[Proxy]:
    with recording_proxy(prefect_server.api_url) as proxy:
        yield proxy


def check(spec: Path, *options: str, **environ: str) -> Finished:
    return flowmill("secrets", "check", spec, "--env", "staging", *options, cwd=spec.parent, **environ)


def looked(spec: Path, **environ: str) -> dict[str, Any]:
    """What `check` says of each secret, by its name."""
    finished = check(spec, "--format", "json", **environ)
    found = {it["name"]: it for it in json.loads(finished.stdout)["secrets"]}
    assert finished.returncode == (1 if any(it["problems"] for it in found.values()) else 0)
    return found


def given(text: str | bytes, *arguments: str, cwd: Path, **environ: str) -> "subprocess.CompletedProcess[bytes]":
    """Set a secret from a pipe."""
    content = text.encode() if isinstance(text, str) else text
    command = [FLOWMILL, "secrets", "set", *arguments]
    return subprocess.run(command, cwd=cwd, env={**os.environ, **environ}, input=content, capture_output=True)


def test_what_is_there_and_what_is_missing_is_listed(prefect_server: PrefectServer, tmp_path: Path, name: str) -> None:
    Secret(value="hunter22").save(f"{name}-a")
    steps = [script("one", "true", env={"A": f"${{{{ secrets['{name}-a'] }}}}"}), script("two", env_from=f"{name}-b")]
    spec = write_job(tmp_path, *steps, on_failure=[script("three", env={"C": "${{ secrets.under_line.key }}"})])
    finished = check(spec)
    assert finished.returncode == 1
    lines = [line.split() for line in finished.stdout.splitlines()]
    assert lines[1:4] == [
        [f"{name}-a", "-", "demo.job", "(one)", "there", "(secret)"],
        [f"{name}-b", "*", "demo.job", "(two)", "lacking"],
        ["under_line", "key", "demo.job", "(three)", "lacking"],
    ]
    assert f"`{name}-b`: there is no block of that name; `flowmill secrets set {name}-b` makes one" in finished.stdout
    assert "`under_line`: no block can have that name, only lower-case letters, digits and dashes" in finished.stdout
    assert finished.stdout.endswith(f"2 of 3 secrets lacking, on the Prefect server at {prefect_server.api_url}\n")


def test_nothing_is_lacking_is_0(prefect_server: PrefectServer, tmp_path: Path, name: str) -> None:
    Secret(value="hunter22").save(name)
    spec = write_job(tmp_path, script("one", env={"A": f"${{{{ secrets['{name}'] }}}}"}))
    finished = check(spec)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert "nothing is lacking of 1 secret," in finished.stdout
    plain = write_job(tmp_path / "without", script("one"))
    assert check(plain).stdout == "no flow here needs a secret\n"


VALUES = {
    "no-key": ({"user": "canary"}, "env", "it has no key `password`"),
    "null": ({"password": None}, "env", "its key `password` is null"),
    "one-value": ("canary", "env", "it is one value, not a map with the key `password`"),
    "text-of-json": ('{"user": "canary"}', "env", "it has no key `password`"),
    "no-map": ("canary", "env_from", "secret `NAME` is one value, but `env_from` needs a map of keys"),
    "no-way": ({"user": "canary"}, "way", "secret `NAME` has no key `signs`, which `env_from` asks for"),
    "way-to-a-value": (
        {"signs": "canary"},
        "way",
        "secret `NAME.signs` is one value, but `env_from` needs a map of keys",
    ),
    "smtp-text": ("canary", "smtp", "it is one value, but `smtp` needs a map of keys"),
    "smtp-host": ({"username": "flows", "password": "canary"}, "smtp", "it has no key `host`, which `smtp` needs"),
    "no-variable": ({"A=B": "canary"}, "env_from", "secret `NAME`: "),
}


@pytest.mark.parametrize("case", VALUES)
def test_a_block_that_lacks_what_a_step_asks_for_is_told_without_its_value(
    prefect_server: PrefectServer, tmp_path: Path, name: str, canary: str, case: str
) -> None:
    value, use, problem = VALUES[case]
    filled = json.loads(json.dumps(value).replace("canary", canary))
    Secret(value=SecretStr(filled) if isinstance(filled, str) else filled).save(name)
    keys: dict[str, Any] = {
        "env": {"env": {"A": f"${{{{ secrets['{name}'].password | upper }}}}"}},
        "env_from": {"env_from": name},
        "way": {"env_from": f"{name}.signs"},
        "smtp": {"smtp": f"${{{{ secrets['{name}'] }}}}"},
    }[use]
    step = mail("one", **keys) if use == "smtp" else script("one", **keys)
    finished = check(write_job(tmp_path, step))
    assert finished.returncode == 1
    assert f"`{name}`: {problem.replace('NAME', name)}" in finished.stdout
    assert canary not in finished.stdout + finished.stderr


def test_keys_that_are_there_are_found_in_every_kind_of_block(
    prefect_server: PrefectServer, tmp_path: Path, name: str
) -> None:
    Secret(value={"db": {"HOST": "h"}, "password": "hunter22"}).save(f"{name}-map")
    Secret(value=SecretStr('{"db": {"HOST": "h"}, "password": "hunter22"}')).save(f"{name}-text")
    SlackWebhook(url="https://hooks.slack.com/services/a/b/c").save(f"{name}-slack")
    used = {kind: f"secrets['{name}-{kind}']" for kind in ("map", "text", "slack")}
    env = {"A": f"${{{{ {used['map']}.password }}}}", "B": f"${{{{ {used['text']}.db.HOST }}}}"}
    env["C"] = f"${{{{ {used['slack']}.url }}}}"
    spec = write_job(
        tmp_path, script("one", env=env, env_from=f"{name}-map.db"), script("two", env_from=f"{name}-text")
    )
    found = looked(spec)
    assert {it: entry["problems"] for it, entry in found.items()} == {f"{name}-{kind}": [] for kind in sorted(used)}
    assert found[f"{name}-map"]["keys"] == ["db.*", "password"]
    assert found[f"{name}-text"]["used_by"] == {"demo.job": ["one", "two"]}
    assert found[f"{name}-slack"]["block_type"] == "slack-webhook"


def mail(id: str, **keys: Any) -> dict[str, Any]:
    """A step that sends a mail."""
    between = {"from": "a@example.org", "to": "b@example.org"}
    return {"id": id, "type": "email", **between, "subject": "s", "text": "t", **keys}


@pytest.mark.parametrize("host", ["host", "smtp_server"])
@pytest.mark.parametrize("as_text", [True, False])
def test_a_secret_with_what_a_mail_server_needs_is_enough(
    prefect_server: PrefectServer, tmp_path: Path, name: str, host: str, as_text: bool
) -> None:
    value = {host: "smtp.example.org", "username": "flows", "password": "hunter22"}
    Secret(value=SecretStr(json.dumps(value)) if as_text else value).save(name)
    spec = write_job(tmp_path, mail("one", smtp=f"${{{{ secrets['{name}'] }}}}"))
    assert check(spec).returncode == 0


def test_a_name_that_only_the_run_knows_is_listed_as_such(prefect_server: PrefectServer, tmp_path: Path) -> None:
    parameters = {"which": {"type": "string", "default": "a"}}
    spec = write_job(tmp_path, script("one", env={"A": "${{ secrets[parameters.which] }}"}), parameters=parameters)
    finished = check(spec)
    assert finished.returncode == 0
    assert "demo.job (one)  its name is only known in the run" in finished.stdout
    assert looked(spec)[None]["state"] == "unknown"


def test_it_asks_twice_and_for_no_value_that_it_does_not_need(
    proxy: Proxy, tmp_path: Path, name: str, canary: str
) -> None:
    Secret(value=canary).save(f"{name}-whole")
    Secret(value={"key": "hunter22"}).save(f"{name}-keyed")
    names = [f"{name}-whole", *(f"{name}-{number}" for number in range(30))]
    env = {f"V{number}": f"${{{{ secrets['{it}'] }}}}" for number, it in enumerate(names)}
    spec = write_job(tmp_path, script("one", env=env, env_from=f"{name}-keyed"))
    assert len(looked(spec, PREFECT_API_URL=proxy.api_url)) == 32
    asked = [request.json() for request in proxy.requests if request.path == "/block_documents/filter"]
    assert [it["include_secrets"] for it in asked] == [False, True]
    assert len(asked[1]["block_documents"]["id"]["any_"]) == 1


DOWN = {
    "nobody": (
        {"PREFECT_API_URL": "http://user:hunter22@127.0.0.1:{port}/api"},
        "127.0.0.1:{port}/api does not answer",
    ),
    "not-configured": ({"PREFECT_API_URL": ""}, "no Prefect server is configured: set PREFECT_API_URL"),
}


@pytest.mark.parametrize("case", DOWN)
def test_a_server_that_is_not_there_is_told_by_its_address(tmp_path: Path, name: str, canary: str, case: str) -> None:
    settings, message = DOWN[case]
    port = free_port()
    environ = {key: value.format(port=port) for key, value in settings.items()}
    spec = write_job(tmp_path, script("one", env_from=name))
    # Side by side, because each tries again for some seconds.
    with ThreadPoolExecutor() as both:
        checking = both.submit(check, spec, **environ)
        ran = given(canary, name, cwd=tmp_path, **environ)
        checked = checking.result()
    assert (checked.returncode, ran.returncode) == (1, 1)
    for text in (checked.stderr, ran.stderr.decode()):
        assert message.format(port=port) in text
        assert "hunter22" not in text
        assert "Traceback" not in text


def test_a_wrong_environment_is_told(prefect_server: PrefectServer, tmp_path: Path) -> None:
    spec = write_job(tmp_path, script("one"))
    finished = flowmill("secrets", "check", spec, "--env", "stagin", cwd=tmp_path)
    assert (finished.returncode, finished.stdout) == (2, "")
    assert "no flow here names the environment `stagin`; did you mean `staging`?" in finished.stderr


def test_a_secret_that_was_set_is_what_a_run_gets_and_is_seen_nowhere(
    prefect_server: PrefectServer, tmp_path: Path, name: str, canary: str
) -> None:
    text = json.dumps({"PASSWORD": canary, "more": {"USER": "flows"}}, indent=2)
    made = given(f"{text}\n", name, "--json", cwd=tmp_path)
    assert (made.returncode, made.stderr) == (0, b"")
    assert made.stdout.decode() == f"made the secret `{name}` on the Prefect server at {prefect_server.api_url}\n"
    env = {"AGAIN": f"${{{{ secrets['{name}'].PASSWORD }}}}"}
    steps = [script("one", 'echo "$AGAIN $USER ${#AGAIN}"', env=env, env_from=f"{name}.more")]
    spec = write_job(tmp_path / "specs", *steps)
    checked, ran = check(spec), flowmill("run", spec, cwd=tmp_path)
    assert (checked.returncode, ran.returncode) == (0, 0), checked.stdout + ran.stdout
    assert f"*** *** {len(canary)}" in ran.stdout
    everything = checked.stdout + ran.stdout + ran.stderr + prefect_server.log
    assert canary not in everything
    assert canary.encode() not in prefect_server.database() + made.stdout


def test_a_secret_that_was_set_as_a_map_is_the_whole_of_a_key(
    prefect_server: PrefectServer, tmp_path: Path, name: str, canary: str
) -> None:
    spec = write_job(tmp_path / "specs", mail("one", smtp=f"${{{{ secrets['{name}'] }}}}"))
    with mail_server(password="another") as server:
        login = {"username": "flows", "password": canary}
        given(json.dumps(server.settings(**login)), name, "--json", cwd=tmp_path)
        assert check(spec).returncode == 0
        refused = flowmill("run", spec, "--deliver", cwd=tmp_path)
        server.password = canary
        ran = flowmill("run", spec, "--deliver", cwd=tmp_path)
    assert (refused.returncode, ran.returncode) == (1, 0), ran.stdout
    assert [password for _, password in server.logins] == [canary, canary]
    assert canary not in refused.stdout + refused.stderr + ran.stdout + ran.stderr + prefect_server.log


def test_a_secret_is_replaced_and_loses_one_line_break(
    prefect_server: PrefectServer, tmp_path: Path, name: str
) -> None:
    Secret(value={"a": "map"}).save(name)
    for text, value in (
        ("hunter22\n", "hunter22"),
        ("two\nlines\n\n", "two\nlines\n"),
        ("of windows\r\n", "of windows"),
    ):
        ran = given(text, name, cwd=tmp_path)
        assert ran.stdout.startswith(b"replaced the secret"), ran.stderr
        found = Secret.load(name)
        assert isinstance(found, Secret)
        assert found.get() == value


REFUSED: dict[str, tuple[bytes, list[str], int, str]] = {
    "name": (b"canary", ["Team_Mail"], 2, "`Team_Mail` cannot be the name of a block: only lower-case letters, digits"),
    "empty": (b"\n", ["x"], 1, "standard input is empty"),
    "bytes": (b"\xff canary", ["x"], 1, "standard input is not text in UTF-8"),
    "no-json": (b'{"a": "canary",\n  canary}', ["x", "--json"], 1, "standard input is not JSON: see 2:3"),
    "no-end": (b'{"a": "canary', ["x", "--json"], 1, "standard input is not JSON: see 1:7"),
    "nan": (b'{"a": NaN, "b": "canary"}', ["x", "--json"], 1, "standard input is not JSON"),
    "deep": (b"[" * 100_000 + b"canary", ["x", "--json"], 1, "standard input is not JSON"),
    "list": (b'["canary"]', ["x", "--json"], 1, "standard input is not a map of keys"),
    "argument": (b"", ["x", "canary"], 2, "unexpected extra argument"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_kept_is_refused_and_not_repeated(
    prefect_server: PrefectServer, tmp_path: Path, case: str
) -> None:
    content, arguments, code, message = REFUSED[case]
    ran = given(content, *arguments, cwd=tmp_path)
    assert (ran.returncode, ran.stdout) == (code, b"")
    assert message in ran.stderr.decode()
    assert b"canary" not in ran.stderr or case == "argument"
    assert b"Traceback" not in ran.stderr


@pytest.mark.parametrize("status", [422, 503])
def test_what_a_server_says_when_it_refuses_is_not_repeated(
    proxy: Proxy, tmp_path: Path, name: str, canary: str, status: int
) -> None:
    said = Answer(status, json.dumps({"detail": f"no {canary}", "exception_message": canary}).encode())
    proxy.rule("POST", "/block_documents/", answer=said)
    ran = given(canary, name, cwd=tmp_path, PREFECT_API_URL=proxy.api_url)
    assert ran.returncode == 1
    assert f"answers {status}" in ran.stderr.decode()
    assert canary.encode() not in ran.stdout + ran.stderr


def test_a_busy_server_is_asked_again(proxy: Proxy, tmp_path: Path, name: str) -> None:
    proxy.rule("POST", "/block_documents/filter", answer=UNAVAILABLE)
    spec = write_job(tmp_path, script("one", env_from=name))
    assert looked(spec, PREFECT_API_URL=proxy.api_url)[name]["state"] == "lacking"


@pytest.mark.parametrize("again", [True, False], ids=["the-same", "another"])
def test_on_a_terminal_it_is_asked_for_twice_and_not_shown(
    prefect_server: PrefectServer, tmp_path: Path, name: str, canary: str, again: bool
) -> None:
    child, ours = pty.fork()
    if child == 0:
        os.chdir(tmp_path)
        os.execv(FLOWMILL, [FLOWMILL, "secrets", "set", name])
    shown = b""

    def read_until(text: bytes) -> bool:
        nonlocal shown
        shown += _read(ours)
        return text in shown

    eventually(lambda: read_until(b"Value of "))
    os.write(ours, f"{canary}\n".encode())
    eventually(lambda: read_until(b"Repeat for confirmation"))
    os.write(ours, f"{canary if again else 'another'}\n".encode())
    eventually(lambda: read_until(b"made the secret" if again else b"do not match"))
    if not again:
        os.write(ours, b"\x03")
    eventually(lambda: read_until(b"") and os.waitpid(child, os.WNOHANG)[0])
    os.close(ours)
    assert canary.encode() not in shown


def _read(terminal: int) -> bytes:
    """What has been printed; nothing more once the process is gone."""
    import select

    try:
        return os.read(terminal, 4096) if select.select([terminal], [], [], 0.1)[0] else b""
    except OSError:
        return b""
