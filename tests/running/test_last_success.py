"""The time of the last success in runs on a real server: when it moves on, to what, and who sees which."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from prefect.client.schemas.actions import VariableUpdate

import flowmill
from flowmill.backend.flow import build_flow
from flowmill.backend.success_times import ServerTimes, variable_of
from flowmill.local.runtime import local_runtime
from flowmill.local.select import plan_of
from flowmill.planning.plan import Plan
from flowmill.running.runtime import Runtime, Selection
from flowmill.running.success_times import InMemory, name_of
from support.flows import DictSecrets, Ran, run_again, run_flow, run_plan, script, write_workspace
from support.prefect_server import PrefectServer
from support.recording import Containers

pytestmark = pytest.mark.prefect

MIDNIGHT = datetime(2026, 11, 23, 23, tzinfo=UTC)
"""In Berlin, where the flows of this file are."""
BEFORE = MIDNIGHT - timedelta(seconds=2)
OK = script("sync", ["echo", "${{ last_success.start }}"])


@dataclass
class Remembering(InMemory):
    """A store that remembers what it was told to keep."""

    told: list[datetime] = field(default_factory=list)

    def advance(self, name: str, start: datetime) -> None:
        self.told.append(start)
        super().advance(name, start)


def a_plan(folder: Path, *steps: Any, environment: str = "staging", **keys: Any) -> Plan:
    """A flow of a name of its own, so that no test finds what another has left on the server."""
    flow = f"job-{uuid4().hex[:8]}"
    spec = {
        "project": "demo",
        "environment": ["staging", "production"],
        "server": "etl-01",
        "timezone": "Europe/Berlin",
        "last_success": {"default": "1970-01-01"},
        "steps": steps,
        **keys,
    }
    write_workspace(folder, {f"demo/{flow}.yaml": spec})
    return plan_of(folder / f"demo/{flow}.yaml", environment)


def a_runtime(folder: Path, **services: Any) -> Runtime:
    """The services of a run, with the times on the server unless they say otherwise."""
    return replace(local_runtime(folder / "demo/job.yaml"), **{"successes": ServerTimes(), **services})


def clock(*moments: datetime) -> Callable[[], datetime]:
    """A clock that shows these times, one after the other, and stays at the last."""
    left: Iterator[datetime] = iter(moments)
    return lambda: next(left, moments[-1])


def kept(plan: Plan) -> datetime | None:
    return ServerTimes().read(name_of(plan))


def test_a_success_moves_it_on_once_to_the_start_of_the_run(prefect_server: PrefectServer, tmp_path: Path) -> None:
    plan = a_plan(tmp_path, OK, script("count"))
    store = Remembering()
    runtime = a_runtime(tmp_path, successes=store, clock=clock(BEFORE, MIDNIGHT + timedelta(hours=1)))
    assert run_plan(prefect_server, plan, runtime).state.name == "Completed"
    assert store.told == [BEFORE]


def test_a_run_over_midnight_keeps_the_day_on_which_it_began(prefect_server: PrefectServer, tmp_path: Path) -> None:
    plan = a_plan(tmp_path, script("sync", ["echo", "${{ last_success.start }} ${{ last_success.start | date }}"]))
    runtime = a_runtime(tmp_path, clock=clock(BEFORE, MIDNIGHT + timedelta(hours=6)))
    first = run_plan(prefect_server, plan, runtime)
    assert "1970-01-01T00:00:00+01:00 1970-01-01" in first.lines("sync")
    assert kept(plan) == BEFORE
    second = run_plan(prefect_server, plan, runtime)
    assert "2026-11-23T23:59:58+01:00 2026-11-23" in second.lines("sync")


EXIT = ["bash", "-c", 'exit "$0"', "${{ item }}"]
NO_SUCCESS: dict[str, tuple[list[Any], Selection]] = {
    "failed": ([OK, script("count", "exit 3")], Selection()),
    "allowed to fail": ([OK, script("count", "exit 3", continue_on_error=True)], Selection()),
    "skipped behind a failure": ([OK, script("count", "exit 3"), script("send")], Selection()),
    "an element failed": ([OK, script("count", EXIT, foreach=[0, 3], continue_on_error=True)], Selection()),
    "left out by --only": ([OK, script("count")], Selection(only="count")),
    "left out by --from": ([OK, script("count")], Selection(start="count")),
}


@pytest.mark.parametrize("why", NO_SUCCESS)
def test_what_is_no_success_leaves_it(prefect_server: PrefectServer, tmp_path: Path, why: str) -> None:
    steps, selection = NO_SUCCESS[why]
    plan = a_plan(tmp_path, *steps)
    ServerTimes().advance(name_of(plan), BEFORE)
    asyncio.run(build_flow(plan, a_runtime(tmp_path, selection=selection))(return_state=True))
    assert kept(plan) == BEFORE


def test_a_step_that_its_own_condition_skips_does_not_count(prefect_server: PrefectServer, tmp_path: Path) -> None:
    plan = a_plan(tmp_path, OK, script("mend", **{"if": "failure()"}), script("full", **{"if": "1 > 2"}))
    ran = run_plan(prefect_server, plan, a_runtime(tmp_path, clock=clock(BEFORE)))
    assert ran.states() == {"sync": "Completed", "mend": "Skipped", "full": "Skipped"}
    assert kept(plan) == BEFORE


def containers_for(step: str, then: Callable[[], None]) -> Containers:
    """Containers of which those of one step do something else when they end."""
    return Containers(after=lambda ended: then() if ended == step else None)


def docker(id: str, *command: str, **keys: Any) -> dict[str, Any]:
    return {"id": id, "type": "docker", "image": "tools", "command": [id, *command], **keys}


def test_every_attempt_sees_the_same_time_though_another_run_succeeds(
    prefect_server: PrefectServer, tmp_path: Path
) -> None:
    since = ("--since", "${{ last_success.start | date('%H:%M') }}")
    plan = a_plan(tmp_path, docker("one", *since), docker("two", *since), docker("three", *since, retries=1))
    ServerTimes().set(name_of(plan), MIDNIGHT - timedelta(days=1))
    containers = containers_for("two", lambda: ServerTimes().advance(name_of(plan), BEFORE))
    containers.failing = {"three": 1}
    runtime = a_runtime(tmp_path, registry=containers.registry(), clock=clock(MIDNIGHT))
    assert run_plan(prefect_server, plan, runtime).state.name == "Completed"
    assert containers.steps() == ["one", "two", "three", "three"]
    assert containers.argument_after("--since") == ["00:00"] * 4
    assert kept(plan) == MIDNIGHT


def test_a_retry_of_the_whole_run_begins_where_the_run_did(prefect_server: PrefectServer, tmp_path: Path) -> None:
    plan = a_plan(tmp_path, docker("one", "--since", "${{ last_success.start | date('%H:%M') }}"))
    containers = Containers(failing={"one": 1})
    containers.after = lambda step: ServerTimes().advance(name_of(plan), BEFORE)
    flow = build_flow(plan, a_runtime(tmp_path, registry=containers.registry(), clock=clock(MIDNIGHT)))
    failed = run_flow(prefect_server, flow, plan)
    retried = run_again(prefect_server, failed, flow, plan)
    assert (failed.state.name, retried.state.name) == ("Failed", "Completed")
    assert containers.argument_after("--since") == ["00:00", "00:00"]
    assert kept(plan) == MIDNIGHT


def test_two_flows_that_end_at_the_same_instant_keep_both(prefect_server: PrefectServer, tmp_path: Path) -> None:
    plans = [a_plan(tmp_path, OK), a_plan(tmp_path, OK)]
    moments = [BEFORE, MIDNIGHT]
    flows = [
        build_flow(plan, a_runtime(tmp_path, clock=clock(moment))) for plan, moment in zip(plans, moments, strict=True)
    ]

    async def both() -> None:
        await asyncio.gather(*(flow(return_state=True) for flow in flows))

    asyncio.run(both())
    assert [kept(plan) for plan in plans] == moments


def test_two_runs_of_one_flow_that_end_at_the_same_instant_keep_the_later(
    prefect_server: PrefectServer, tmp_path: Path
) -> None:
    plan = a_plan(tmp_path, OK)
    flow = build_flow(plan, a_runtime(tmp_path, clock=clock(MIDNIGHT, BEFORE, BEFORE)))

    async def both() -> None:
        await asyncio.gather(*(flow(return_state=True) for _ in range(3)))

    asyncio.run(both())
    assert kept(plan) == MIDNIGHT


def test_environments_keep_their_own(prefect_server: PrefectServer, tmp_path: Path) -> None:
    plan = a_plan(tmp_path, OK)
    production = plan_of(tmp_path / plan.spec_path, "production")
    run_plan(prefect_server, plan, a_runtime(tmp_path, clock=clock(BEFORE)))
    assert (kept(plan), kept(production)) == (BEFORE, None)


def test_it_is_no_secret_and_no_secret_is_asked_for(prefect_server: PrefectServer, tmp_path: Path) -> None:
    plan, secrets = a_plan(tmp_path, OK), DictSecrets()
    with prefect_server.client() as client:
        before = len(client.read_block_documents())
        run_plan(prefect_server, plan, a_runtime(tmp_path, secrets=secrets, clock=clock(BEFORE)))
        variable = client.read_variable_by_name(variable_of(name_of(plan)))
        assert variable
        assert variable.value == {"start": "2026-11-23T23:59:58+01:00"}
        assert (len(client.read_block_documents()), secrets.read_names) == (before, [])


HANDLERS = {"on_failure": [script("tell", ["echo", "told:", "${{ failure.step }}:", "${{ failure.message }}"])]}


def told(ran: Ran) -> str:
    return next(line for line in ran.lines("tell") if line.startswith("told: "))


def spoil(server: PrefectServer, plan: Plan) -> None:
    ServerTimes().set(name_of(plan), BEFORE)
    with server.client() as client:
        client.update_variable(VariableUpdate(name=variable_of(name_of(plan)), value="yesterday"))


def test_a_run_that_cannot_read_it_fails_before_any_step(prefect_server: PrefectServer, tmp_path: Path) -> None:
    plan = a_plan(tmp_path, OK, script("count", **{"if": "always()"}), **HANDLERS)
    spoil(prefect_server, plan)
    ran = run_plan(prefect_server, plan, a_runtime(tmp_path))
    assert ran.states() == {"sync": "Skipped", "count": "Skipped", "tell": "Completed"}
    message = f"the time of the last success is not known: the variable `{variable_of(name_of(plan))}` cannot be used"
    assert str(ran.state.message).startswith(message)
    assert str(ran.state.message).endswith("; skipped: sync, count")
    assert told(ran).startswith(f"told: last_success: {message}")


def test_a_success_that_cannot_be_kept_is_a_failure(prefect_server: PrefectServer, tmp_path: Path) -> None:
    plan = a_plan(tmp_path, docker("one"), docker("two"), **HANDLERS)
    containers = containers_for("two", lambda: spoil(prefect_server, plan))
    ran = run_plan(prefect_server, plan, a_runtime(tmp_path, registry=containers.registry()))
    assert ran.states() == {"one": "Completed", "two": "Completed", "tell": "Completed"}
    assert ran.state.name == "Failed"
    message = "every step succeeded, but the time of this success could not be kept: the variable `"
    assert str(ran.state.message).startswith(message)
    assert told(ran).startswith(f"told: last_success: {message}")


DEFAULTS = {
    "2026-03-29T02:30": "2026-03-29T03:30:00+02:00",
    "2026-01-31T06:00Z": "2026-01-31T07:00:00+01:00",
    "${{ run.start - days(7) }}": "2026-11-16T23:59:58+01:00",
    "${{ parameters.year }}-02-01": "2025-02-01T00:00:00+01:00",
}


@pytest.mark.parametrize("default", DEFAULTS)
def test_a_default_is_a_time_in_the_zone_of_the_flow(
    prefect_server: PrefectServer, tmp_path: Path, default: str
) -> None:
    parameters = {"year": {"type": "integer", "default": 2025}}
    plan = a_plan(tmp_path, OK, last_success={"default": default}, parameters=parameters)
    ran = run_plan(prefect_server, plan, a_runtime(tmp_path, clock=clock(BEFORE)))
    assert DEFAULTS[default] in ran.lines("sync")


UNUSABLE = {
    "${{ parameters.since }}": "its default gives something that is neither a date nor a time",
    "${{ 1 / (parameters.since | length - 4) }}": "its default: `1 / (parameters.since | length - 4)`",
}


@pytest.mark.parametrize("default", UNUSABLE)
def test_a_default_without_a_value_is_a_failed_run(prefect_server: PrefectServer, tmp_path: Path, default: str) -> None:
    parameters = {"since": {"type": "string", "default": "soon"}}
    plan = a_plan(tmp_path, OK, last_success={"default": default}, parameters=parameters)
    ran = run_plan(prefect_server, plan, a_runtime(tmp_path))
    assert ran.states() == {"sync": "Skipped"}
    assert f"the time of the last success is not known: {UNUSABLE[default]}" in str(ran.state.message)


def test_a_compiled_flow_keeps_it_on_the_server(prefect_server: PrefectServer, tmp_path: Path) -> None:
    plan = a_plan(tmp_path, OK)
    run_flow(prefect_server, flowmill.compile(tmp_path / plan.spec_path, "staging"), plan)
    assert kept(plan)
    assert not (tmp_path / ".flowmill").exists()
