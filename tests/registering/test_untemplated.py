"""R19, I01, I02: what a user writes is text for Prefect and stays so, up to a real run; nothing is filled in there."""

import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prefect.client.schemas.objects import StateType

from support.desk import ON_SQLITE, STAGING, Desk
from support.engine import eventually
from support.flowmill_worker import flowmill_worker
from support.flows import flowmill, script
from support.git import GitFolder

pytestmark = pytest.mark.prefect

SECRET, VARIABLE, ENVIRON = "canary-of-a-secret", "canary-of-a-variable", "canary-of-the-environment"
TEXT = "{{ prefect.blocks.secret.canary }} {{ prefect.variables.canary }} {{ $CANARY }} {{ ctx }} {{ name }} {x}"
"""What Prefect fills in somewhere or other."""
FLOW: dict[str, Any] = {
    "description": f"description {TEXT}",
    "owner": f"owner {TEXT}",
    "tags": [f"tag {TEXT}"],
    "run_name": f"run {TEXT}",
    "schedules": [{"id": "a", "cron": "* * * * *", "parameters": {"word": f"scheduled {TEXT}"}}],
    "catchup": "all",
    "parameters": {"word": {"type": "string", "default": f"default {TEXT}", "description": f"about {TEXT}"}},
    "vars": {"kept": f"vars {TEXT}"},
    "env": {"SAID": f"env {TEXT}"},
    "steps": [
        script("print", ["printf", "%s\n", f"command {TEXT}", "${{ vars.kept }}", "${{ parameters.word }}"]),
        script("shell", 'printf "%s\\n" "$SAID"', name=f"step {TEXT}"),
        script("fail", ["false", f"argument {TEXT}"], name=f"fails {TEXT}", continue_on_error=True),
    ],
}
MADE = "prefect.variable."
"""What the names of events begin with in which Prefect itself tells that somebody has made a variable."""
SAID = ("command", "vars", "env")
USERS = {"description", "tags", "parameter_openapi_schema", "schedules"}
"""Where in a deployment the words of a user may stand: Prefect fills in none of them."""


@pytest.fixture
def canaries(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    from prefect.blocks.system import Secret
    from prefect.client.schemas.actions import VariableCreate

    monkeypatch.setenv("CANARY", ENVIRON)
    block = Secret(value=SECRET)
    block.save("canary", overwrite=True)
    with desk.server.client() as client:
        client.create_variable(VariableCreate(name="canary", value=VARIABLE))
        yield
        client.delete_variable_by_name("canary")
    Secret.delete("canary")


@ON_SQLITE
@pytest.mark.usefixtures("canaries")
def test_i01_i02_what_looks_like_a_template_of_prefect_arrives_as_it_is(desk: Desk) -> None:
    desk.write({"environments": {"staging": {**STAGING["staging"], "description": TEXT}}}, job=FLOW)
    printed = desk.register().stdout
    deployment = desk.there()["demo.job"].id
    with flowmill_worker(desk.folder, "etl-01", "staging", "--name", desk.folder.name) as worker:
        runs = {"default": _by_hand(desk, deployment), "scheduled": _scheduled(desk, deployment)}
        states = {word: eventually(lambda run=run: _ended(desk, run), 90) for word, run in runs.items()}
        printed += worker.started().text()
    assert {word: state.type for word, state in states.items()} == dict.fromkeys(runs, StateType.COMPLETED)
    for word, run in runs.items():
        lines = eventually(lambda run=run: _log(desk, run))
        assert {f"{it} {TEXT}" for it in (*SAID, word)} <= set(lines)
    told = _everything(desk) | {"printed": printed}
    assert f"run {TEXT}" in told["flow_runs"]
    assert f"step {TEXT}" in told["task_runs"]
    assert [kind for kind, text in told.items() if any(it in text for it in (SECRET, VARIABLE, ENVIRON))] == []
    rows = _rows(desk.server.home / "prefect.db")
    assert [it for it in rows if SECRET in it or ENVIRON in it] == []
    assert {it.split('"')[1] for it in rows if VARIABLE in it and MADE not in it} == {"variable"}


@ON_SQLITE
def test_r19_a_deployment_tells_workers_nothing_in_a_users_words(desk: Desk) -> None:
    desk.write(job=FLOW)
    desk.register()
    with desk.server.client() as client:
        read = client.request("GET", f"/deployments/{desk.there()['demo.job'].id}").json()
    assert (read["job_variables"], read["parameters"]) == ({}, {})
    assert {key for key, value in read.items() if "{{" in json.dumps(value)} == USERS
    (enter,) = read["pull_steps"][0].values()
    assert set(enter) == {"folder", "spec", "protect", "applied"}


def _by_hand(desk: Desk, deployment: UUID) -> UUID:
    with desk.server.client() as client:
        return client.create_flow_run_from_deployment(deployment).id


def _scheduled(desk: Desk, deployment: UUID) -> UUID:
    """A run of the schedule, which was due a minute ago."""
    now = datetime.now(UTC)
    due = {"start_time": (now - timedelta(minutes=1)).isoformat(), "end_time": now.isoformat()}
    with desk.server.client() as client:
        client.request("POST", f"/deployments/{deployment}/schedule", json=due)
    return min((it for it in desk.runs(deployment) if it.auto_scheduled), key=lambda it: it.expected_start_time).id


def _ended(desk: Desk, run: UUID) -> Any:
    with desk.server.client() as client:
        state = client.read_flow_run(run).state
    return state if state and state.is_final() else None


def _log(desk: Desk, run: UUID) -> list[str]:
    """The lines of a run, once the last has arrived."""
    body = {"logs": {"flow_run_id": {"any_": [str(run)]}}, "limit": 200}
    with desk.server.client() as client:
        lines = [it["message"] for it in client.request("POST", "/logs/filter", json=body).json()]
    return lines if any("Finished in state" in it for it in lines) else []


def _everything(desk: Desk) -> dict[str, str]:
    """What the server tells about flows and runs to whoever asks, the states of runs among it."""
    kinds = ("flows", "deployments", "flow_runs", "task_runs", "logs", "artifacts")
    with desk.server.client() as client:
        events = client.request("POST", "/events/filter", json={"limit": 50}).json()["events"]
        told = {kind: client.request("POST", f"/{kind}/filter", json={}).text for kind in kinds}
    return told | {"events": json.dumps([it for it in events if not it["event"].startswith(MADE)])}


def _rows(database: Path) -> list[str]:
    """Every row of the database, as the statement that would insert it."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        return [it for it in connection.iterdump() if it.startswith("INSERT INTO")]


@pytest.mark.parametrize("holds", ["repository", "ref", "folder"])
def test_i02_where_workers_find_the_specs_is_refused_as_a_template(tmp_path: Path, holds: str) -> None:
    text = "{{ prefect.variables.canary }}"
    values = {"repository": "https://example.org/flows.git", "ref": "main", "folder": "specs", holds: text}
    workspace = {
        "repository": values["repository"],
        "environments": {"staging": {"ref": values["ref"], "pin": "branch"}},
        "servers": {"etl-01": {}},
    }
    job = {"project": "demo", "environment": "staging", "server": "etl-01", "steps": [script("work")]}
    folder = values["folder"]
    files = {f"{folder}/flowmill.yaml": workspace, f"{folder}/demo/project.yaml": {}, f"{folder}/demo/job.yaml": job}
    GitFolder.new(tmp_path).commit(files)
    nowhere = "http://127.0.0.1:9/api"  # which is not asked
    refused = flowmill("plan", "--env", "staging", cwd=tmp_path / folder, PREFECT_API_URL=nowhere)
    assert refused.returncode == 1
    assert "which Prefect would fill in on the worker" in refused.stderr
