"""I22, I26: a dozen secrets that a careless flow prints, mails and fails with are found nowhere afterwards."""

import base64
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import yaml

import support.engine
from flowmill.local.select import plan_of
from flowmill.running.runtime import Runtime
from flowmill_tasks.registry import discover
from support.engine import IMAGE, Engine
from support.flows import (
    DictSecrets,
    Finished,
    flowmill,
    run_id,
    run_plan,
    script,
    write_distribution,
    write_job,
)
from support.prefect_server import PrefectServer
from support.slack import Reply, slack_endpoint
from support.smtp import mail_server, parsed
from support.waiting import PATIENCE, eventually

engine = support.engine.engine

BROKEN_TYPE = '''\
from typing import ClassVar

from pydantic import Field

from flowmill_tasks.base import Output, Step, StepRun
from flowmill_tasks.fields import SecretText


class Leak(Step):
    """Fail carelessly."""

    step_type: ClassVar[str] = "leak"
    summary: ClassVar[str] = "Raise an exception that quotes a secret"

    key: SecretText = Field(description="Any secret.", examples=["${{ secrets.a.b }}"])

    def execute(self, run: StepRun) -> Output:
        raise ConnectionError(f"login with {self.key.reveal()} was refused")
'''
PRINT = 'printf "%s\\n" "$VALUE"; printf %s "$VALUE" | base64 -w0; echo'
SPY = "cat /proc/[0-9]*/cmdline > command-lines 2> /dev/null || true"


@dataclass
class Canaries:
    """Secret values by what they are for; each has a middle that encodings leave as it is."""

    values: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, purpose: str) -> str:
        return self.values.setdefault(purpose, f'{secrets.token_hex(8)}+/"q {secrets.token_hex(4)}')

    def found_in(self, text: str | bytes) -> list[str]:
        """The purposes of the canaries that stand in the text, as they are or encoded."""
        content = text.encode() if isinstance(text, str) else text
        return [name for name, value in self.values.items() if any(form in content for form in _forms(value))]


def _forms(value: str) -> tuple[bytes, bytes]:
    return value[:16].encode(), base64.b64encode(value.encode())[:20]


@pytest.fixture
def canaries() -> Canaries:
    return Canaries()


def careless_steps() -> list[dict[str, Any]]:
    told = "${{ steps.variable.stdout }} ${{ steps.file.stdout }} ${{ steps.nested.stdout }}"
    mail = {"type": "email", "to": "ops@example.org", "from": "flows@example.org", "smtp": "${{ secrets.mail }}"}
    slack = {"type": "slack", "webhook": "${{ secrets.slack.url }}"}
    allowed = {"continue_on_error": True}
    return [
        script("variable", f"{PRINT}; {SPY}", env={"VALUE": "${{ secrets.token }}"}),
        script("file", "env", env_from="store"),
        script("nested", "env", env_from="nested"),
        script("quoted", ["python3", "-c", QUOTE], env={"VALUE": "${{ secrets.odd.key }}"}),
        {"id": "letter", **mail, "subject": "done", "text": told, "html": f"<p>{told}</p>", **allowed},
        {"id": "tell", **slack, "text": told, "request_timeout": "3s", **allowed},
        {"id": "leak", "type": "leak", "key": "${{ secrets.broken.key }}", **allowed},
        script("fail", 'echo "no login with $VALUE" >&2; exit 3', env={"VALUE": "${{ secrets.failing.key }}"}),
    ]


QUOTE = "import os, urllib.parse, json; v = os.environ['VALUE']; print(urllib.parse.quote(v), json.dumps(v))"


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    slack = {"type": "slack", "webhook": "${{ secrets.slack.url }}", "request_timeout": "3s"}
    text = "${{ failure.step }}: ${{ failure.message }} ${{ failure.output }} ${{ steps.leak.message }}"
    return write_job(tmp_path / "specs", *careless_steps(), on_failure=[{**slack, "text": text}])


def environ(canaries: Canaries, spec: Path, mail: Mapping[str, Any], webhook: str) -> dict[str, str]:
    """Where `flowmill run` finds the secrets: in variables, and in a file above the specs."""
    file = spec.parents[2] / ".flowmill/secrets.yaml"
    file.parent.mkdir()
    stored = {"store": {"KEY": canaries["file"], "OTHER": canaries["unused"]}, "odd": {"key": canaries["quoted"]}}
    file.write_text(yaml.safe_dump(stored))
    code = write_distribution(spec.parents[2] / "site", "leaking_steps", BROKEN_TYPE)
    groups = {
        "NESTED": {"DATABASE": {"hosts": [{"password": canaries["nested"]}]}},
        "MAIL": {**mail, "username": "flows", "password": canaries["smtp"]},
        "SLACK": {"url": webhook},
        "BROKEN": {"key": canaries["exception"]},
        "FAILING": {"key": canaries["failing"]},
    }
    variables = {f"FLOWMILL_SECRET_{name}": json.dumps(value) for name, value in groups.items()}
    return {**variables, "FLOWMILL_SECRET_TOKEN": canaries["variable"], "PYTHONPATH": str(code)}


def kept(server: PrefectServer, run: UUID) -> str:
    """What the API tells of a run, as JSON, once its last line has arrived there."""
    asked = [("task_runs", "task_runs"), ("logs", "logs")]
    with httpx.Client(base_url=server.api_url, trust_env=False, timeout=PATIENCE) as client:

        def read() -> str:
            answers = [client.get(f"/flow_runs/{run}").text]
            for path, key in asked:
                body = {key: {"flow_run_id": {"any_": [str(run)]}}}
                answers.append(client.post(f"/{path}/filter", json=body).text)
            return "\n".join(answers)

        eventually(lambda: "Finished in state Failed('step `fail`" in read())
        return read()


def traces(server: PrefectServer, finished: Finished, spec: Path) -> dict[str, Any]:
    """Everything that a run leaves behind, by where it lies."""
    home, outbox = Path(os.environ["PREFECT_HOME"]), spec.parent / "outbox"
    return {
        "output": finished.stdout + finished.stderr,
        "api": kept(server, run_id(finished.stdout)),
        "database": server.database(),
        "home": b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file()),
        "outbox": b"".join(path.read_bytes() for path in outbox.glob("*")),
        "mails": decoded(outbox),
        "command lines": (spec.parent / "command-lines").read_bytes(),
    }


def hits(canaries: Canaries, places: Mapping[str, Any]) -> dict[str, list[str]]:
    return {place: found for place, text in places.items() if (found := canaries.found_in(text))}


def decoded(outbox: Path) -> str:
    """The texts of the mails in an outbox, whatever encoding they were written in."""
    letters = [parsed(path.read_bytes()) for path in outbox.glob("*.eml")]
    return "\n".join(part.get_content() for letter in letters for part in letter.iter_parts())


@pytest.mark.prefect
def test_i22_i26_no_secret_is_left_behind_by_a_local_run(
    prefect_server: PrefectServer, spec: Path, canaries: Canaries
) -> None:
    settings = environ(canaries, spec, {"host": "127.0.0.1"}, "https://hooks.example.org/" + canaries["webhook"])
    finished = flowmill("run", spec, cwd=spec.parent, **settings)
    assert finished.returncode == 1
    left = traces(prefect_server, finished, spec)
    assert hits(canaries, left) == {}
    # The lines are there, with stars: the search has looked in the right places.
    shown = " ".join(finished.stdout.split())
    for masked in ("variable | ***", "file | KEY=***", 'DATABASE={"hosts": [{"password": "***"}]}'):
        assert masked in shown
    assert "leak | the step type `leak` is broken: ConnectionError" in shown
    assert "fail | no login with ***" in shown
    assert "no login with ***" in left["api"]
    for place in ("database", "outbox"):
        assert b"no login with ***" in left[place]
        assert b"login with *** was refused" in left[place]
    assert "KEY=***" in left["mails"]


@pytest.mark.prefect
def test_i22_no_secret_is_left_behind_when_messages_cannot_be_delivered(
    prefect_server: PrefectServer, spec: Path, canaries: Canaries
) -> None:
    canaries.values["webhook"] = secrets.token_hex(16)
    path = f"/services/{canaries['webhook']}"
    answer = Reply(404, f"no_service at {path}".encode())
    with mail_server(password="another") as mail, slack_endpoint(answer) as slack:
        settings = environ(canaries, spec, mail.settings(), slack.base + path)
        finished = flowmill("run", spec, "--deliver", cwd=spec.parent, **settings)
        assert [password for _, password in mail.logins] == [canaries["smtp"]]
        assert {request.path for request in slack.requests} == {path}
    assert finished.returncode == 1
    assert hits(canaries, traces(prefect_server, finished, spec)) == {}


@pytest.mark.parametrize("command", [["run", "--dry-run"], ["compile"], ["validate"]], ids=lambda it: it[0])
def test_i22_no_secret_is_shown_before_a_run(spec: Path, canaries: Canaries, command: list[str]) -> None:
    settings = environ(canaries, spec, {"host": "127.0.0.1"}, "https://hooks.example.org/" + canaries["webhook"])
    verb, *options = command
    finished = flowmill(verb, spec, *options, cwd=spec.parent, **settings)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert canaries.found_in(finished.stdout + finished.stderr) == []


@pytest.mark.prefect
@pytest.mark.docker
def test_i22_what_a_container_prints_is_masked(
    prefect_server: PrefectServer, tmp_path: Path, canaries: Canaries, engine: Engine
) -> None:
    step = {"id": "env", "type": "docker", "image": IMAGE, "pull": "never", "command": "env"}
    spec = write_job(tmp_path, {**step, "env_from": "store"})
    store = DictSecrets({"store": {"KEY": canaries["container"]}})
    ran = run_plan(prefect_server, plan_of(spec, "staging"), Runtime(spec.parent, discover(), store))
    assert "KEY=***" in ran.lines("env")
    assert canaries.found_in(ran.text()) == []
    assert canaries.found_in(prefect_server.database()) == []


LITERALS = {
    "misspelt": {"smtp": {"host": "mail.example.org", "passwrod": "canary"}},
    "literal": {"smtp": {"host": "mail.example.org", "username": "flows", "password": "canary"}},
    "list": {"smtp": {"host": "mail.example.org", "username": "flows", "password": ["canary"]}},
    "map": {"smtp": {"host": "mail.example.org", "username": "flows", "password": {"is": "canary"}}},
    "whole": {"smtp": "smtp://flows:canary@mail.example.org"},
}


@pytest.mark.parametrize("output", ["text", "json", "github"])
@pytest.mark.parametrize("wrong", LITERALS)
def test_i24_a_literal_secret_is_refused_and_not_repeated(
    tmp_path: Path, canaries: Canaries, wrong: str, output: str
) -> None:
    keys = json.loads(json.dumps(LITERALS[wrong]).replace("canary", secrets.token_hex(16)))
    value = json.dumps(keys)
    mail = {"id": "mail", "type": "email", "to": "ops@example.org", "subject": "it", "text": "it", **keys}
    spec = write_job(tmp_path, {**mail, "from": "flows@example.org"})
    validated = flowmill("validate", spec, "--format", output, cwd=tmp_path)
    assert validated.returncode == 1
    token = next(word for word in value.replace("@", '"').replace(":", '"').split('"') if len(word) == 32)
    assert token not in validated.stdout + validated.stderr
