"""I01, I02, R19: what a user writes arrives as it is written; Prefect puts no secret, variable or environment in."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from prefect.blocks.system import Secret
from prefect.client.schemas.filters import LogFilter, LogFilterFlowRunId
from prefect.variables import Variable

from support.desk import Desk
from support.flowmill_worker import flowmill_worker
from support.flows import script
from support.prefect_server import addressed
from support.waiting import eventually

pytestmark = pytest.mark.prefect

NAME = "flowmill-canary"
CANARY = "canary7f3a"
"""What nobody may see: a secret, a variable and the environment hold it."""
KINDS = ("deployments", "flow_runs", "task_runs", "flows")
TEXT = f"{{{{ prefect.blocks.secret.{NAME} }}}} {{{{ prefect.variables.{NAME} }}}} {{{{ $CANARY }}}} {{{{ ctx }}}}"
FLOW: dict[str, Any] = {
    "description": TEXT,
    "tags": [TEXT],
    "env": {"GREETING": TEXT},
    "parameters": {
        "left": {"type": "string", "default": TEXT, "description": TEXT},
        "given": {"type": "string", "default": "", "choices": ["", TEXT]},
    },
    "schedules": [{"id": "a", "cron": "0 6 1 * *", "parameters": {"given": TEXT}}],
    "steps": [
        script("work", ["echo", TEXT, "${{ parameters.left }}", "${{ parameters.given }}"], name=TEXT),
        script("greet", ["sh", "-c", 'echo "$GREETING"']),
    ],
}


@pytest.fixture
def canaries(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("CANARY", CANARY)
    with addressed(desk.server):
        Secret(value=f"{CANARY} secret").save(NAME, overwrite=True)
        Variable.set(NAME, CANARY, overwrite=True)
        yield
        Variable.unset(NAME)
        Secret.delete(NAME)


@pytest.mark.usefixtures("canaries")
def test_i01_i02_what_a_user_writes_arrives_and_nothing_is_put_in(desk: Desk) -> None:
    desk.write({"servers": {"etl-01": {"description": TEXT}}}, one=FLOW)
    printed = desk.register().stdout + desk.run("plan").stdout
    deployment = desk.there()["demo.one"]
    assert (deployment.description, TEXT in deployment.tags) == (TEXT, True)
    with flowmill_worker(desk.folder, "etl-01", "staging", "--name", desk.folder.name) as worker:
        with desk.server.client() as client:
            run = client.create_flow_run_from_deployment(deployment.id, parameters={"given": TEXT}).id
        eventually(lambda: _is_completed(desk, run))
        log = eventually(lambda: _log(desk, run))
        printed += worker.text()
    assert f"{TEXT} {TEXT} {TEXT}" in log
    assert TEXT in log, "from its environment"
    assert CANARY not in printed
    assert CANARY not in _all_of(desk, deployment.id)
    # The variable is plain text there. What PostgreSQL has, the API has told.
    assert f"{CANARY} secret".encode() not in desk.server.database()


def _is_completed(desk: Desk, run: UUID) -> bool:
    with desk.server.client() as client:
        state = client.read_flow_run(run).state
    assert state is None or not state.is_final() or state.is_completed(), state
    return state is not None and state.is_completed()


def _log(desk: Desk, run: UUID) -> list[str]:
    """The lines of the run, once the last has arrived."""
    with desk.server.client() as client:
        lines = client.read_logs(LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run])), limit=200)
    texts = [line.message for line in lines]
    return texts if any("Finished in state" in text for text in texts) else []


def _all_of(desk: Desk, deployment: UUID) -> str:
    """Everything that the API tells of a deployment and its runs, and every manifest."""
    of = {"deployments": {"id": {"any_": [str(deployment)]}}}
    with desk.server.client() as client:
        runs = client.request("POST", "/flow_runs/filter", json=of).json()
        logs = {"logs": {"flow_run_id": {"any_": [it["id"] for it in runs]}}}
        found = [client.request("POST", f"/{what}/filter", json=of).text for what in KINDS]
        found.append(client.request("POST", "/logs/filter", json=logs).text)
        states = [client.request("GET", f"/flow_run_states/?flow_run_id={it['id']}").text for it in runs]
        artifacts = client.request("POST", "/artifacts/filter", json={}).text
    return "".join([*found, *states, artifacts])


def test_r19_what_prefect_fills_in_holds_nothing_that_a_user_wrote(desk: Desk) -> None:
    desk.write(one=FLOW)
    desk.register()
    deployment = desk.there()["demo.one"]
    assert deployment.job_variables == {}
    assert [*deployment.pull_steps] == [{"flowmill.pull.enter": deployment.pull_steps[0]["flowmill.pull.enter"]}]
    told = deployment.pull_steps[0]["flowmill.pull.enter"]
    assert set(told) == {"folder", "spec", "protect", "applied"}
    assert set(told["applied"]) == {"fields", "switches"}
    assert "{{" not in json.dumps(deployment.pull_steps) + str(deployment.entrypoint)
