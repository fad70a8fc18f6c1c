"""What happens around a register: the server dies, or somebody changes something by hand at that moment."""

from datetime import UTC, datetime

import pytest

from support.desk import ON_SQLITE, Desk

pytestmark = pytest.mark.prefect

MONTHLY = {"cron": "0 6 1 * *"}
ONE = r"/deployments/[^/]*"


def test_the_server_is_killed_while_flows_are_written(desk: Desk) -> None:
    desk.write(one=MONTHLY, two=MONTHLY, three=MONTHLY)
    desk.register()
    desk.write(one={**MONTHLY, "description": "after"}, two={}, four=MONTHLY)
    desk.proxy.rule("PATCH", ONE, nth=2, after=desk.server.kill)
    try:
        ran = desk.run("register", "--prune")
    finally:
        desk.server.restart()
    assert (ran.returncode, "does not answer; is it running" in ran.stderr) == (1, True)
    desk.register("--prune")
    found = desk.there()
    assert set(found) == {"demo.one", "demo.two", "demo.four"}
    assert (found["demo.one"].description, found["demo.two"].schedules) == ("after", [])
    assert {flow: set(desk.due(it.id).values()) for flow, it in found.items()} == {
        "demo.one": {1},
        "demo.two": set(),
        "demo.four": {1},
    }
    assert desk.writes("register") == []


@ON_SQLITE
def test_a_switch_that_is_moved_between_look_and_write_stays_so(desk: Desk) -> None:
    desk.write(one=MONTHLY)
    desk.register()
    desk.proxy.rule("PATCH", ONE, before=lambda: desk.switch("demo.one", on=False))
    desk.write(one={**MONTHLY, "description": "after"})
    desk.register()
    read = desk.there()["demo.one"]
    assert (read.description, read.schedules[0].active, desk.due(read.id)) == ("after", False, {})
    assert "was switched off on the server and stays off" in desk.run("plan").stdout


@ON_SQLITE
def test_a_switch_that_the_spec_moves_is_moved(desk: Desk) -> None:
    for paused in (False, True, False):
        desk.write(one={"schedules": [{"id": "a", **MONTHLY, "paused": paused}]})
        desk.register()
        assert desk.there()["demo.one"].schedules[0].active is not paused


@ON_SQLITE
def test_a_deployment_that_is_deleted_between_look_and_write(desk: Desk) -> None:
    desk.write(one=MONTHLY, two=MONTHLY)
    desk.register()
    doomed = desk.there()["demo.one"].id

    def delete() -> None:
        with desk.server.client() as client:
            client.delete_deployment(doomed)

    desk.proxy.rule("PATCH", ONE, before=delete)
    desk.write(one={}, two={})
    ran = desk.run("register")
    assert (ran.returncode, "demo.one: somebody has deleted" in ran.stderr) == (1, True)
    assert desk.there()["demo.two"].schedules == [], "the others are written"
    desk.register()
    assert set(desk.there()) == {"demo.one", "demo.two"}


@ON_SQLITE
def test_a_schedule_that_goes_takes_no_waiting_run_of_another_with_it(desk: Desk) -> None:
    both = [{"id": "a", **MONTHLY}, {"id": "b", "cron": "30 6 1 * *"}]
    desk.write(one={"schedules": both})
    desk.register()
    id = desk.there()["demo.one"].id
    missed = {datetime(2026, 1, 1, 6, minute, tzinfo=UTC) for minute in (0, 30)}
    with desk.server.client() as client:
        times = {"start_time": min(missed).isoformat(), "end_time": max(missed).isoformat()}
        client.request("POST", f"/deployments/{id}/schedule", json=times)
    assert missed <= set(desk.due(id))
    desk.write(one={"schedules": both[:1]})
    desk.register()
    assert {it for it in desk.due(id) if it < datetime.now(UTC)} == {min(missed)}
