"""R08: `flowmill register` is killed after each of its writes; run again, it comes to what one clean run comes to.

A server cannot tell a command that is killed after its nth write from one that is turned away from then on. So the
proxy turns it away after each of them, which is quick, and at three of them the process is killed.
"""

import os
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prefect.client.schemas.responses import DeploymentResponse

from flowmill.backend.success_times import ServerTimes, variable_of
from support.desk import Desk
from support.flows import FLOWMILL
from support.prefect_server import addressed
from support.proxy import ALWAYS, UNAUTHORISED
from support.waiting import PATIENCE, eventually

pytestmark = pytest.mark.prefect

Flows = dict[str, dict[str, Any]]
Deployments = dict[str, tuple[Any, Counter[datetime]]]

# The coming runs of a monthly schedule are the same for as long as a test takes.
MONTHLY = {"cron": "0 6 1 * *"}
BOTH = [{"id": "a", **MONTHLY}, {"id": "b", "cron": "30 6 1 * *"}]
BACK: Flows = {
    "changed": {"schedules": BOTH[:1], "description": "back"},
    "kept": MONTHLY,
    "new": {**MONTHLY, "moved_from": "demo.old"},
}
THERE: Flows = {
    "changed": {"schedules": BOTH, "description": "there"},
    "kept": MONTHLY,
    "old": {**MONTHLY, "moved_from": "demo.new"},
}
"""From each to the other, one flow is changed, one moves, and one stays as it is."""
WRITES = 7
"""What the way takes at least."""
ONE = r"/deployments/[^/]*"
SUCCEEDED = datetime(2026, 1, 1, tzinfo=UTC)


def test_r08_killed_after_each_write_and_run_again(desk: Desk) -> None:
    ways = (BACK, THERE)
    ends = [_clean(desk, flows) for flows in ways]
    number, goal = 1, 0
    while _is_cut_off(desk, ways[goal], number):
        _register(desk)
        _compare(desk, ends[goal])
        number, goal = number + 1, 1 - goal
    assert number > WRITES, "the proxy has seen too few writes"
    eventually(lambda: _deployments(desk) == ends[goal])


def test_r08_a_process_that_is_killed(desk: Desk) -> None:
    """When a flow was changed; when one was deleted; when a moved one is there and its former self still is."""
    ways = ({**BACK, "made": MONTHLY}, {**THERE, "gone": MONTHLY})
    ends = [_clean(desk, flows) for flows in ways]
    for goal, request in ((0, ("PATCH", ONE)), (1, ("DELETE", ONE))):
        _kill(desk, ways[goal], *request)
        _register(desk)
        _compare(desk, ends[goal])
    with _succeeded(desk, "demo.old"):
        _kill(desk, ways[0], "POST", "/deployments/", nth=2)
        _register(desk)
        assert ServerTimes().read("demo.new.staging") == SUCCEEDED
    eventually(lambda: _deployments(desk) == ends[0])


def test_r08_what_the_killed_one_has_thrown_away_is_made_if_it_is_due_soon(desk: Desk) -> None:
    each_minute: Flows = {"one": {"cron": "* * * * *", "description": "before"}}
    _clean(desk, each_minute)
    assert _is_cut_off(desk, {"one": {**each_minute["one"], "description": "after"}}, 1)
    deployment = desk.there()["demo.one"].id
    with desk.server.client() as client:  # what the server may have made by itself since
        for run in desk.runs(deployment):
            client.delete_flow_run(run.id)
    _register(desk)
    assert min(desk.due(deployment)) - datetime.now(UTC) <= timedelta(minutes=1)


def _clean(desk: Desk, flows: Flows) -> Deployments:
    """What one register comes to."""
    desk.write(**flows)
    _register(desk)
    return _deployments(desk)


def _register(desk: Desk) -> None:
    ran = desk.run("register", "--create", "--prune")
    assert ran.returncode == 0, ran.stdout + ran.stderr


def _is_cut_off(desk: Desk, flows: Flows, number: int) -> bool:
    """Register until so many writes are done; whether that was not the end."""

    def turn_away() -> None:
        desk.proxy.rules.clear()
        desk.proxy.rule(answer=UNAUTHORISED, times=ALWAYS)

    desk.write(**flows)
    desk.after_write(number, turn_away)
    ran = desk.run("register", "--create", "--prune")
    desk.proxy.rules.clear()
    assert ran.returncode in (0, 1), ran.stdout + ran.stderr
    return ran.returncode == 1


def _kill(desk: Desk, flows: Flows, method: str, path: str, nth: int = 1) -> None:
    """Register, and kill the process when the server has carried out a request and before it has answered."""
    desk.write(**flows)
    environ = {**os.environ, "PREFECT_API_URL": desk.proxy.api_url}
    command = [FLOWMILL, "register", "--env", "staging", "--prune"]
    with subprocess.Popen(command, cwd=desk.folder, env=environ, stdout=subprocess.DEVNULL) as process:
        desk.proxy.rule(method, path, nth=nth, after=process.kill)
        assert process.wait(PATIENCE) < 0


@contextmanager
def _succeeded(desk: Desk, flow: str) -> Iterator[None]:
    """A time of success, which has to move along with its flow."""
    with addressed(desk.server):
        ServerTimes().set(f"{flow}.staging", SUCCEEDED)
        yield
    with desk.server.client() as client:
        for name in ("demo.old", "demo.new"):
            client.delete_variable_by_name(variable_of(f"{name}.staging"))


def _compare(desk: Desk, end: Deployments) -> None:
    """The same deployments, and no run twice; runs that are far away are left to the server, which is not so quick."""
    found = _deployments(desk)
    assert {flow: content for flow, (content, _) in found.items()} == {flow: it for flow, (it, _) in end.items()}
    assert all(set(runs.values()) <= {1} and runs <= end[flow][1] for flow, (_, runs) in found.items())


def _deployments(desk: Desk) -> Deployments:
    """What the server has, by flow: what it was told, and how many runs there are for which time."""
    return {flow: (_content(it), desk.due(it.id)) for flow, it in desk.there().items()}


def _content(deployment: DeploymentResponse) -> Any:
    schedules = [(it.slug, it.active, it.schedule) for it in deployment.schedules]
    return deployment.version, deployment.description, deployment.paused, sorted(schedules, key=lambda it: it[0] or "")
