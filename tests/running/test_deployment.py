"""What a plan becomes on a server: its schedules, its limits, and the runs that the server makes of them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prefect.client.schemas.objects import StateType
from prefect.client.schemas.schedules import CronSchedule

from flowmill.local.select import plan_of
from flowmill.registering.body import Code, deployment_body, queue_name
from flowmill.times.cron import of_plan
from flowmill.times.fire_times import fire_times
from support.flows import JOB, WORKSPACE, script, write_job, write_workspace
from support.prefect_server import PrefectServer
from support.waiting import eventually
from support.worker import Deployed, deploy, work_pool, worker

pytestmark = pytest.mark.prefect

SCHEDULES = [
    {"id": "west", "cron": "30 6 * * *", "timezone": "America/Chicago", "parameters": {"shop": "west", "days": 2}},
    {"id": "east", "cron": "30 6,18 * * MON-FRI", "timezone": "Asia/Tokyo", "parameters": {"shop": "east"}},
    {"cron": "@hourly", "parameters": {"shop": "north"}, "paused": True},
]
PARAMETERS = {"shop": {"type": "string"}, "days": {"type": "integer", "default": 1, "maximum": 31}}


def arguments(spec: Path, environment: str = "staging") -> dict[str, Any]:
    return deployment_body(plan_of(spec, environment), Code(folder="/specs"))


def test_a_plan_says_where_and_how(tmp_path: Path) -> None:
    queues = {**WORKSPACE, "servers": {"etl-01": {"queues": {"slow": {}}}}}
    keys = {"description": "Loads it", "tags": ["nightly", "staging"], "queue": "slow", "concurrency": 2}
    write_workspace(tmp_path, {"demo/job.yaml": {**JOB, **keys, "steps": [script("work")]}}, queues)
    found = arguments(tmp_path / "demo/job.yaml")
    assert (found["name"], found["description"], found["paused"]) == ("staging", "Loads it", False)
    assert (found["work_pool_name"], found["work_queue_name"]) == ("etl-01", "staging-slow")
    assert found["tags"] == ["flowmill", "demo", "staging", "etl-01", "nightly"]
    assert (found["schedules"], found["concurrency_limit"]) == ([], 2)
    assert found["concurrency_options"] == {"collision_strategy": "ENQUEUE"}


def test_what_one_environment_says_does_not_reach_the_others(tmp_path: Path) -> None:
    overrides = {"staging": {"cron": None}, "production": {"paused": True, "concurrency": None}}
    limit = {"limit": 1, "on_conflict": "cancel_new"}
    spec = write_job(tmp_path, script("work"), cron="0 6 * * *", environment=overrides, concurrency=limit)
    staging, production = arguments(spec), arguments(spec, "production")
    assert (staging["schedules"], staging["paused"]) == ([], False)
    assert staging["concurrency_options"] == {"collision_strategy": "CANCEL_NEW"}
    assert ([it["active"] for it in production["schedules"]], production["paused"]) == ([False], False)
    assert production["concurrency_limit"] is None
    assert queue_name(plan_of(spec, "production")) == "production"


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    return write_job(tmp_path, script("work"), schedules=SCHEDULES, parameters=PARAMETERS)


def test_schedules_arrive_as_written(prefect_server: PrefectServer, spec: Path) -> None:
    with work_pool(prefect_server, "etl-01"):
        read = deploy(prefect_server, spec).read()
    kept = {it.slug: it for it in read.schedules}
    assert all(isinstance(it.schedule, CronSchedule) for it in read.schedules)
    assert {slug: (it.schedule.cron, it.schedule.timezone, it.parameters, it.active) for slug, it in kept.items()} == {
        "west": ("30 6 * * *", "America/Chicago", {"shop": "west", "days": 2}, True),
        "east": ("30 6,18 * * 1,2,3,4,5", "Asia/Tokyo", {"shop": "east"}, True),
        "schedule-3": ("0 * * * *", "UTC", {"shop": "north"}, False),
    }
    assert (read.name, read.work_queue_name, read.paused) == ("staging", "staging", False)
    assert read.parameter_openapi_schema["required"] == ["shop"]


def write_new(folder: Path, name: str, **keys: Any) -> Path:
    """A flow that no other test registers.

    The server's scheduler calculates runs and stores them later. What it has calculated for a deployment that is
    registered anew in between stays: runs of schedules that are gone, beside the same runs of the new ones.
    """
    write_workspace(folder, {f"demo/{name}.yaml": {**JOB, "steps": [script("work")], **keys}})
    return folder / f"demo/{name}.yaml"


def test_the_server_makes_the_runs_that_fire_times_says(prefect_server: PrefectServer, tmp_path: Path) -> None:
    spec = write_new(tmp_path, "fire-times", schedules=SCHEDULES, parameters=PARAMETERS)
    with work_pool(prefect_server, "etl-01"):
        deployed = deploy(prefect_server, spec)
        start = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)
        end = start + timedelta(days=9)
        made = deployed.schedule(start, end)
    just_before = start - timedelta(microseconds=1)  # the server takes what is due at the start as well
    expected = [
        (moment, schedule.parameters["shop"])
        for schedule in deployed.plan.schedules
        if not schedule.paused
        for moment in fire_times(of_plan(schedule.cron), schedule.timezone, just_before, 50)
        if moment <= end
    ]
    assert all(run.auto_scheduled for run in made)
    assert sorted((run.expected_start_time, run.parameters["shop"]) for run in made) == sorted(expected)
    assert {run.parameters.get("days") for run in made if run.parameters["shop"] == "west"} == {2}


@pytest.mark.parametrize("keys", [{"cron": None}, {"schedules": []}, {"cron": "0 6 * * *", "paused": True}], ids=str)
def test_without_an_active_schedule_the_server_makes_no_run(
    prefect_server: PrefectServer, tmp_path: Path, keys: dict[str, Any]
) -> None:
    spec = write_new(tmp_path, f"never-{''.join(keys)}", **keys)
    now = datetime.now(UTC)
    with work_pool(prefect_server, "etl-01"):
        assert deploy(prefect_server, spec).schedule(now, now + timedelta(days=3)) == []


# From here on, a worker runs what there is.

APPEND = 'echo "$1" >> "$2"'


def note(id: str, trail: Path) -> dict[str, Any]:
    return script(id, APPEND, args=["${{ run.scheduled | date('%H:%M') }}", str(trail)])


def test_missed_runs_are_made_up_for_as_the_flow_says(prefect_server: PrefectServer, tmp_path: Path) -> None:
    """Three runs are due since 2.5, 1.5 and half an hour; the next one comes in half an hour."""
    now = datetime.now(UTC)
    policies: dict[str, dict[str, Any]] = {
        "none": {"catchup": "none"},
        "last": {"catchup": "last"},
        "all": {"catchup": "all"},
        "limited": {"catchup": "all", "skip_if_late": "2h"},
    }
    trails = {name: tmp_path / f"{name}.trail" for name in policies}
    flows = {
        f"demo/{name}.yaml": {
            **JOB,
            "cron": f"{(now.minute + 30) % 60} * * * *",
            "run_name": f"{name} of ${{{{ run.scheduled | date('%H:%M') }}}}",
            "steps": [note("work", trails[name])],
            "finally": [note("last", trails[name])],
            **keys,
        }
        for name, keys in policies.items()
    }
    write_workspace(tmp_path, flows)
    with work_pool(prefect_server, "etl-01"):
        deployed = {name: deploy(prefect_server, tmp_path / f"demo/{name}.yaml") for name in policies}
        runs = {name: it.schedule(now - timedelta(hours=3), now) for name, it in deployed.items()}
        with worker(deployed["none"], tmp_path):
            states = {name: [deployed[name].ended(run.id) for run in made] for name, made in runs.items()}
            by_hand = deployed["none"].ended(deployed["none"].run_by_hand())
        names = {run.id: run.name for run in deployed["all"].runs()}
    due = [f"{run.expected_start_time:%H:%M}" for run in runs["all"] if run.expected_start_time]
    assert {name: [_named(state) for state in its] for name, its in states.items()} == {
        "none": ["Skipped", "Skipped", "Skipped"],
        "last": ["Skipped", "Skipped", "Completed"],
        "all": ["Completed", "Completed", "Completed"],
        "limited": ["Skipped", "Completed", "Completed"],
    }
    noted = {name: trail.read_text().split() for name, trail in trails.items()}
    assert {name: sorted(noted[name]) for name in ("last", "limited", "all")} == {
        "last": [due[2]] * 2,
        "limited": sorted(due[1:] * 2),
        "all": sorted(due * 2),
    }
    assert (by_hand.name, len(noted["none"])) == ("Completed", 2)
    assert states["last"][0].type is StateType.CANCELLED
    assert f"{due[0]}, started 2h" in states["last"][0].message
    assert states["last"][0].message.endswith(f"{due[1]} is due as well (catchup: last)")
    assert states["none"][2].message.endswith("more than 5m (catchup: none)")
    assert states["limited"][0].message.endswith("more than 2h (skip_if_late)")
    assert names[runs["all"][0].id] == f"all of {due[0]}"


def _named(state: Any) -> str:
    """The name of a state; with its message where it is none that a test expects."""
    return state.name if state.name in ("Skipped", "Completed") else f"{state.name}: {state.message}"


BEGIN_END = 'echo begin >> "$1"; until [ -e "$2" ]; do sleep 0.1; done; echo end >> "$1"'


def test_missed_runs_wait_for_each_other(prefect_server: PrefectServer, tmp_path: Path) -> None:
    """Two are due since an outage; the one that comes first goes on until the other was told to wait."""
    now = datetime.now(UTC)
    minutes = ",".join(str((now.minute + later) % 60) for later in (20, 50))
    trail, gate = tmp_path / "trail", tmp_path / "gate"
    step = script("work", BEGIN_END, args=[str(trail), str(gate)], timeout="2m")
    spec = write_job(tmp_path, step, cron=f"{minutes} * * * *", catchup="all", concurrency=1)
    with work_pool(prefect_server, "etl-01"):
        deployed = deploy(prefect_server, spec)
        runs = [run.id for run in deployed.schedule(now - timedelta(hours=1), now)]
        with worker(deployed, tmp_path):
            eventually(lambda: "AwaitingConcurrencySlot" in {deployed.state(run).name for run in runs})
            eventually(trail.exists)
            assert trail.read_text().split() == ["begin"]
            gate.touch()
            assert {deployed.ended(run).name for run in runs} == {"Completed"}
    assert trail.read_text().split() == ["begin", "end"] * 2


def running(deployed: Deployed, run: Any) -> bool:
    return bool(deployed.state(run).is_running())


def test_runs_that_are_one_too_many_are_cancelled(prefect_server: PrefectServer, tmp_path: Path) -> None:
    gate, trail = tmp_path / "gate", tmp_path / "trail"
    wait = 'echo "$1" >> "$3"; until [ -e "$2" ]; do sleep 0.1; done'
    step = script("work", wait, args=["${{ run.id }}", str(gate), str(trail)], timeout="2m")
    spec = write_job(tmp_path, step, concurrency={"limit": 1, "on_conflict": "cancel_new"})
    with work_pool(prefect_server, "etl-01"):
        deployed = deploy(prefect_server, spec)
        with worker(deployed, tmp_path):
            first = deployed.run_by_hand()
            eventually(lambda: running(deployed, first) and trail.exists())
            others = [deployed.run_by_hand() for _ in range(2)]
            assert {deployed.ended(run).type for run in others} == {StateType.CANCELLED}
            assert running(deployed, first)
            gate.touch()
            assert deployed.ended(first).name == "Completed"
    assert trail.read_text().split() == [str(first)]
