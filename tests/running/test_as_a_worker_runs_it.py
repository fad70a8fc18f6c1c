"""A compiled flow in a process of its own, as a Prefect worker starts one, against `flowmill run`."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.flows import FLOWMILL, write_job
from support.prefect_server import PrefectServer
from support.slack import SlackEndpoint, slack_endpoint
from support.smtp import MailServer, mail_server
from support.waiting import PATIENCE
from support.worker import deploy, work_pool

pytestmark = pytest.mark.prefect

RECORD = """\
import json, os, sys
own = ("FLOWMILL_STEP", "FLOWMILL_RESULT", "_", "SHLVL", "PWD", "LC_CTYPE")
environ = {name: value for name, value in os.environ.items() if name not in own}
with open(sys.argv[1], "a") as file:
    file.write(json.dumps([sys.argv[2:], environ]) + "\\n")
print(sys.argv[2].upper())
"""


def record(id: str, *arguments: str, **keys: Any) -> dict[str, Any]:
    args = ["${{ parameters.trail }}", *arguments]
    return {"id": id, "type": "script", "file": "record.py", "args": args, **keys}


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    mail = {"type": "email", "to": "ops@example.org", "from": "flows@example.org", "smtp": "${{ secrets.mail }}"}
    spec = write_job(
        tmp_path,
        record("one", "first; not a command", env={"MODE": "full"}, env_from="store"),
        record("two", "${{ steps.one.stdout | trim }}", "${{ parameters.days }}"),
        {"id": "letter", **mail, "subject": "${{ steps.two.stdout | trim }}", "text": "${{ steps.one.stdout }}"},
        {"id": "tell", "type": "slack", "webhook": "${{ secrets.slack.url }}", "text": "${{ steps.two.state }}"},
        parameters={"trail": {"type": "string"}, "days": {"type": "integer", "default": 3}},
        **{"finally": [record("last", "${{ flow.name }}")]},
    )
    (spec.parent / "record.py").write_text(RECORD)
    return spec


def secrets(mail: MailServer, slack: SlackEndpoint) -> dict[str, str]:
    return {
        "FLOWMILL_SECRET_STORE": '{"TOKEN": "osprey-4411", "LIMIT": 12}',
        "FLOWMILL_SECRET_MAIL": json.dumps(mail.settings()),
        "FLOWMILL_SECRET_SLACK": json.dumps({"url": slack.webhook}),
    }


def effects(spec: Path, trail: Path, mail: MailServer, slack: SlackEndpoint) -> dict[str, Any]:
    """All that a run has done outside of itself, without what is meant to differ from run to run."""
    own = ("Message-ID", "Date", "X-Flowmill-Run")
    letters = [received.message for received in mail.received]
    return {
        "steps": [json.loads(line) for line in trail.read_text().splitlines()],
        "recipients": [received.recipients for received in mail.received],
        "headers": [[item for item in letter.items() if item[0] not in own] for letter in letters],
        "texts": [letter.get_content() for letter in letters],
        "messages": [request.json() for request in slack.requests],
    }


def run_locally(spec: Path, trail: Path) -> dict[str, Any]:
    with mail_server() as mail, slack_endpoint() as slack:
        command = [FLOWMILL, "run", str(spec), "--deliver", "--set", f"trail={trail}"]
        _execute(command, spec, secrets(mail, slack))
        return effects(spec, trail, mail, slack)


def run_by_a_worker(server: PrefectServer, spec: Path, trail: Path) -> dict[str, Any]:
    """Register the flow and run it with the command that a process worker starts."""
    run = deploy(server, spec).run_by_hand(trail=str(trail))
    with mail_server() as mail, slack_endpoint() as slack:
        command = [sys.executable, "-m", "prefect", "flow-run", "execute", str(run)]
        _execute(command, spec, secrets(mail, slack))
        return effects(spec, trail, mail, slack)


def _execute(command: list[str], spec: Path, environ: dict[str, str]) -> None:
    folder = spec.parents[1]
    subprocess.run(
        command, cwd=folder, env={**os.environ, **environ}, check=True, timeout=PATIENCE, capture_output=True
    )


def test_x45_a_local_run_and_a_worker_do_the_same(prefect_server: PrefectServer, spec: Path, tmp_path: Path) -> None:
    local = run_locally(spec, tmp_path / "local")
    assert [arguments[0] for arguments, _ in local["steps"]] == [
        "first; not a command",
        "FIRST; NOT A COMMAND",
        "demo.job",
    ]
    assert local["texts"] == ["FIRST; NOT A COMMAND\r\n"]
    assert local["messages"] == [{"text": "success"}]
    first = local["steps"][0][1]
    assert {name: first[name] for name in ("MODE", "TOKEN", "LIMIT")} == {
        "MODE": "full",
        "TOKEN": "osprey-4411",
        "LIMIT": "12",
    }
    with work_pool(prefect_server, "etl-01"):
        assert run_by_a_worker(prefect_server, spec, tmp_path / "worker") == local
