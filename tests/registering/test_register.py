"""`flowmill plan` and `flowmill register` on a real server, through a proxy that counts what is written."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from prefect.client.schemas.objects import StateType

from support.desk import Desk
from support.prefect_server import PrefectServer, running_server
from support.proxy import ALWAYS, HTML, NOT_FOUND, RESET, UNAUTHORISED, UNAVAILABLE
from support.waiting import eventually

pytestmark = pytest.mark.prefect


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrefectServer]:
    """A server of its own: these tests look at everything that is on it."""
    if request.param == "postgresql":
        database = request.getfixturevalue("postgres").database("register")
        with running_server(tmp_path_factory.mktemp("postgresql"), database) as server:
            yield server
    else:
        with running_server(tmp_path_factory.mktemp("sqlite")) as server:
            yield server


def test_r01_what_is_unchanged_is_not_written(desk: Desk) -> None:
    desk.write(one={"cron": "0 6 * * *"}, two={"parameters": {"days": {"type": "integer", "default": 1}}})
    desk.register()
    before = desk.there()
    assert desk.writes("register") == []
    assert desk.there() == before
    assert "2 unchanged" in desk.run("plan").stdout


def test_r14_a_plan_writes_nothing_and_its_exit_code_tells(desk: Desk) -> None:
    desk.write(one={"cron": "0 6 * * *"})
    desk.register()
    assert (desk.run("plan").returncode, desk.writes("plan")) == (0, [])
    desk.write(one={"cron": "0 7 * * *"})
    planned = desk.run("plan")
    assert (planned.returncode, desk.writes("plan")) == (2, [])
    assert "schedules.schedule-1.cron  0 6 * * * -> 0 7 * * *" in planned.stdout
    assert "next run" in planned.stdout
    assert desk.run("plan", "--bad").returncode == 1


def test_r05_a_schedule_that_was_switched_off_stays_off(desk: Desk) -> None:
    desk.write(one={"cron": "0 6 * * *"})
    desk.register()
    desk.switch("demo.one", on=False)
    planned = desk.run("plan")
    assert (planned.returncode, desk.writes("register")) == (0, [])
    assert "schedule `schedule-1` was switched off on the server and stays off" in planned.stdout
    desk.write(one={"cron": "0 7 * * *"})
    desk.register()
    (schedule,) = desk.there()["demo.one"].schedules
    assert (schedule.active, schedule.schedule.cron) == (False, "0 7 * * *")
    assert desk.runs(desk.there()["demo.one"].id, StateType.SCHEDULED) == []


def test_r04_a_changed_cron_moves_the_coming_runs(desk: Desk) -> None:
    desk.write(one={"cron": "0 6 * * *"})
    desk.register()
    (schedule,) = desk.there()["demo.one"].schedules
    desk.write(one={"cron": "30 7 * * *"})
    desk.register()
    read = desk.there()["demo.one"]
    times = {f"{it.expected_start_time:%H:%M}" for it in desk.runs(read.id, StateType.SCHEDULED)}
    assert times == {"07:30"}
    assert [it.id for it in read.schedules] == [schedule.id], "a new id would let a run be made twice"


def test_r16_after_register_there_are_runs(desk: Desk) -> None:
    desk.write(one={"cron": "*/5 * * * *"}, none={})
    desk.register()
    there = desk.there()
    assert len(desk.runs(there["demo.one"].id, StateType.SCHEDULED)) >= 3
    assert desk.runs(there["demo.none"].id) == []


def test_a_schedule_that_left_the_spec_leaves_the_server(desk: Desk) -> None:
    both = [{"id": "a", "cron": "0 6 * * *"}, {"id": "b", "cron": "0 7 * * *"}]
    desk.write(one={"schedules": both})
    desk.register()
    desk.write(one={"schedules": both[:1]})
    desk.register()
    assert [it.slug for it in desk.there()["demo.one"].schedules] == ["a"]
    desk.write(one={"schedules": []})
    desk.register()
    read = desk.there()["demo.one"]
    assert (read.schedules, desk.runs(read.id)) == ([], [])


def test_r03_a_run_that_is_due_while_its_flow_is_written_is_there_once(desk: Desk) -> None:
    desk.write(one={"cron": "* * * * *", "description": "before"})
    desk.register()
    # The server throws the coming runs away when it is told of the change, and its answer takes
    # until the minute is over.
    due = (datetime.now(UTC) + timedelta(minutes=1)).replace(second=0, microsecond=0)
    seconds = (due - datetime.now(UTC)).total_seconds()
    if seconds < 15:
        due += timedelta(minutes=1)
        seconds += 60
    eventually(lambda: datetime.now(UTC) > due - timedelta(seconds=5))
    desk.proxy.rule("PATCH", r"/deployments/[^/]*", delay=0, after=lambda: eventually(lambda: datetime.now(UTC) > due))
    desk.write(one={"cron": "* * * * *", "description": "after"})
    desk.register()
    read = desk.there()["demo.one"]
    assert read.description == "after"
    assert [it.expected_start_time for it in desk.runs(read.id)].count(due) == 1


def test_r06_only_what_is_ours_and_gone_is_deleted_and_no_more_than_allowed(desk: Desk) -> None:
    desk.write(one={"cron": "0 6 * * *"}, two={"cron": "0 6 * * *"}, three={"protect": True}, four={})
    desk.register()
    doomed = desk.there()["demo.one"].id
    with desk.server.client() as client:
        foreign = client.create_deployment(client.create_flow_from_name("demo.foreign"), "staging")
    desk.write(four={})
    left = desk.run("register")
    assert "demo.one  is declared no more; `--prune` deletes it" in left.stdout
    assert set(desk.there()) == {"demo.one", "demo.two", "demo.three", "demo.four"}
    refused = desk.run("register", "--prune", "--max-delete", "1")
    assert (refused.returncode, "2 deployments would be deleted" in refused.stderr) == (1, True)
    assert len(desk.there()) == 4
    desk.register("--prune")
    assert set(desk.there()) == {"demo.three", "demo.four"}
    assert desk.runs(doomed) == []
    with desk.server.client() as client:
        assert client.read_deployment(foreign).name == "staging"
        client.delete_deployment(foreign)


def test_what_somebody_else_has_made_is_an_error_until_it_is_adopted(desk: Desk) -> None:
    with desk.server.client() as client:
        client.create_deployment(client.create_flow_from_name("demo.theirs"), "staging")
    desk.write(theirs={})
    refused = desk.run("register", "--create")
    assert (refused.returncode, "`demo.theirs/staging` was made by somebody else" in refused.stdout) == (1, True)
    desk.register("--adopt")
    assert set(desk.there()) == {"demo.theirs"}


def test_a_flow_that_moved_keeps_its_switch_and_the_old_one_goes(desk: Desk) -> None:
    desk.write(old={"cron": "0 6 * * *"})
    desk.register()
    desk.switch("demo.old", on=False)
    desk.write(new={"cron": "0 6 * * *", "moved_from": "demo.old"})
    assert "demo.new  move from demo.old" in desk.register().stdout
    there = desk.there()
    assert (set(there), there["demo.new"].schedules[0].active) == ({"demo.new"}, False)
    assert desk.writes("register") == []


def test_r15_a_pool_that_is_missing_is_an_error_and_nothing_is_written(desk: Desk) -> None:
    desk.write({"servers": {"nowhere": {}}}, one={"server": "nowhere"})
    assert desk.writes("register") == []
    refused = desk.run("register")
    assert (refused.returncode, "there is no work pool `nowhere` on the server" in refused.stdout) == (1, True)
    assert "`flowmill register --create` makes it" in refused.stdout


def test_r13_flows_of_one_name_in_two_projects_are_two(desk: Desk) -> None:
    desk.write(one={})
    other = desk.folder / "other"
    other.mkdir()
    (other / "project.yaml").write_text("description: another\n")
    (other / "one.yaml").write_text((desk.folder / "demo/one.yaml").read_text().replace('"demo"', '"other"'))
    desk.register()
    assert set(desk.there()) == {"demo.one", "other.one"}


BROKEN = [
    pytest.param({"answer": UNAVAILABLE}, "stayed busy (503)", id="503"),
    pytest.param({"answer": RESET}, "does not answer", id="reset"),
    pytest.param({"answer": UNAUTHORISED}, "wants credentials (401)", id="401"),
    pytest.param({"answer": NOT_FOUND}, "is not there (404)", id="404"),
    pytest.param({"answer": HTML}, "does not answer as a Prefect server does", id="html"),
    pytest.param({"delay": 60, "answer": RESET}, "did not answer within 10 s", id="stall"),
]


@pytest.mark.parametrize(("broken", "words"), BROKEN)
def test_r09_a_server_that_is_not_well_is_named_and_nothing_is_lost(
    desk: Desk, broken: dict[str, Any], words: str
) -> None:
    desk.write(one={"cron": "0 6 * * *"})
    desk.register()
    before = desk.there()
    desk.write(two={})
    desk.proxy.rule("POST", "/deployments/filter", times=ALWAYS, **broken)
    ran = desk.run("register", "--prune")
    assert ran.returncode == 1
    assert words in ran.stderr
    assert "Traceback" not in ran.stderr
    assert desk.there() == before


def test_r09_a_server_that_is_busy_once_is_asked_again(desk: Desk) -> None:
    desk.write(one={})
    desk.proxy.rule("POST", "/deployments/", answer=UNAVAILABLE)
    desk.register()
    assert set(desk.there()) == {"demo.one"}
