"""What `prefect deploy --all` of Prefect 3.8.8 gets wrong, case by case: flowmill refuses it, or does it."""

from typing import Any

import pytest
from prefect.client.schemas.objects import StateType

from support.desk import ON_SQLITE, Desk

pytestmark = [pytest.mark.prefect, ON_SQLITE]

GOOD = {"cron": "0 6 * * *"}
FLOW = """\
project: demo
environment: staging
server: etl-01
{}
steps: [{{id: work, type: script, command: "true"}}]
"""
REFUSED = {
    # id: (what stands in the fourth line, where the message points, what it says)
    # Prefect: "successfully created", without a schedule and without parameters.
    "typo-schedules": ('schedul: [{cron: "0 6 * * *"}]', "4:1", "did you mean `schedules`?"),
    "typo-parameters": ("paramters: {days: {type: integer}}", "4:1", "did you mean `parameters`?"),
    # Prefect: "An entrypoint must be provided"; no line.
    "wrong-type": ("concurrency: lots", "4:14", "expected a whole number, got text"),
    "yaml-syntax": ("tags: [a, b", "4:7", "the `[` that opens here is never closed"),
    # Prefect: what stands before it is deployed, what stands after it is not.
    "bad-cron": ('cron: "0 99 * * *"', "4:10", "`99` is no hour"),
    "bad-zone": ('schedules: [{cron: "0 6 * * *", timezone: Europe/Belin}]', "4:43", "did you mean `Europe/Berlin`?"),
    # Prefect: accepted.
    "never-fires": ('cron: "0 5 30 2 *"', "4:12", "the day never comes"),
    "unknown-parameter": (
        'schedules: [{cron: "0 6 * * *", parameters: {xx: 1}}]',
        "4:46",
        "there is no parameter `xx`",
    ),
}


@pytest.mark.parametrize("name", ["first", "third"])
@pytest.mark.parametrize(("line", "place", "words"), REFUSED.values(), ids=REFUSED)
def test_one_mistake_anywhere_and_the_server_is_not_even_asked(
    desk: Desk, line: str, place: str, words: str, name: str
) -> None:
    desk.write(second=GOOD)
    spec = f"demo/{name}.yaml"
    (desk.folder / spec).write_text(FLOW.format(line))
    ran = desk.run("register", "--create")
    assert ran.returncode == 1
    assert f"{spec}:{place}: " in ran.stderr
    assert words in ran.stderr
    assert desk.proxy.requests == []


@pytest.mark.parametrize("name", ["first", "third"])
def test_a_pool_that_is_missing_is_refused_before_anything_is_written(desk: Desk, name: str) -> None:
    """Prefect deploys what stands before the entry whose pool is missing."""
    desk.write(second=GOOD)
    desk.register()
    both: dict[str, Any] = {"servers": {"etl-01": {}, "nowhere": {}}}
    desk.write(both, second={"cron": "0 7 * * *"}, **{name: {"server": "nowhere"}})
    assert desk.writes("register") == []
    refused = desk.run("register")
    assert (refused.returncode, "there is no work pool `nowhere` on the server" in refused.stdout) == (1, True)


def test_what_left_the_specs_is_shown_and_pruned_when_asked(desk: Desk) -> None:
    """Prefect leaves the deployment there, its schedule active, and says nothing."""
    desk.write(one=GOOD, two=GOOD)
    desk.register()
    desk.write(one=GOOD)
    assert "demo.two  is declared no more; `--prune` deletes it" in desk.register().stdout
    assert set(desk.there()) == {"demo.one", "demo.two"}
    assert "1 to delete" in desk.register("--prune").stdout
    assert set(desk.there()) == {"demo.one"}


def test_an_empty_list_of_schedules_takes_the_schedule_away(desk: Desk) -> None:
    """Prefect keeps the old schedule."""
    desk.write(one=GOOD)
    desk.register()
    desk.write(one={"schedules": []})
    desk.register()
    read = desk.there()["demo.one"]
    assert (read.schedules, desk.runs(read.id)) == ([], [])


@pytest.mark.parametrize("later", [GOOD, {**GOOD, "description": "changed"}], ids=["unchanged", "changed"])
def test_a_schedule_that_was_switched_off_stays_off(desk: Desk, later: dict[str, Any]) -> None:
    """Prefect switches it on again."""
    desk.write(one=GOOD)
    desk.register()
    desk.switch("demo.one", on=False)
    desk.write(one=later)
    assert "schedule `schedule-1` was switched off on the server and stays off" in desk.register().stdout
    read = desk.there()["demo.one"]
    assert ([it.active for it in read.schedules], read.description or None) == ([False], later.get("description"))


@pytest.mark.parametrize("later", [GOOD, {**GOOD, "description": "changed"}], ids=["unchanged", "changed"])
def test_a_deployment_that_was_paused_stays_paused(desk: Desk, later: dict[str, Any]) -> None:
    """Prefect resumes it."""
    desk.write(one=GOOD)
    desk.register()
    with desk.server.client() as client:
        client.pause_deployment(desk.there()["demo.one"].id)
    desk.write(one=later)
    assert "the deployment was switched off on the server and stays off" in desk.register().stdout
    read = desk.there()["demo.one"]
    assert (read.paused, read.description or None) == (True, later.get("description"))
    assert desk.runs(read.id, StateType.SCHEDULED) == []


def test_what_is_unchanged_is_said_to_be(desk: Desk) -> None:
    """Prefect says "successfully created" of each, each time."""
    desk.write(one=GOOD, two=GOOD)
    desk.register()
    desk.write(one=GOOD, two={"cron": "0 7 * * *"})
    told = desk.register().stdout
    assert "\n1 to update, 1 unchanged\n" in told
    assert "demo.one" not in told
