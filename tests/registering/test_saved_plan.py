"""`flowmill plan --out` and `flowmill register --plan`: exactly what was planned is done, or nothing."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flowmill.planning.digest import digest_of
from support.desk import ON_SQLITE, Desk
from support.flows import Finished, flowmill_here

pytestmark = pytest.mark.prefect


def saved(desk: Desk, *options: str) -> Path:
    """A plan in a file outside of the specs."""
    path = desk.folder.parent / "staging.plan"
    ran = desk.run("plan", "--out", str(path), *options)
    assert ran.returncode in (0, 2), ran.stdout + ran.stderr
    assert f"flowmill register --plan {path}" in ran.stderr
    return path


def apply(desk: Desk, path: Path, *options: str, server: str = "") -> Finished:
    """Register a saved plan, where the specs are not."""
    url = server or desk.proxy.api_url
    return flowmill_here("register", "--plan", path, *options, cwd=path.parent, api_url=url)


def refused(desk: Desk, path: Path, *options: str) -> str:
    """Why it is not registered, and nothing is written."""
    before = len(desk.proxy.writes)
    ran = apply(desk, path, *options)
    assert (ran.returncode, desk.proxy.writes[before:]) == (1, []), ran.stdout
    return ran.stderr


def test_exactly_what_was_planned_is_registered(desk: Desk) -> None:
    desk.write(one={"cron": "0 6 * * *"}, two={})
    path = saved(desk, "--create")
    desk.write(one={"cron": "0 7 * * *"}, three={})
    ran = apply(desk, path)
    assert ran.returncode == 0, ran.stderr
    assert "made: work pool etl-01" in ran.stdout
    there = desk.there()
    assert sorted(there) == ["demo.one", "demo.two"]
    assert there["demo.one"].schedules[0].schedule.model_dump()["cron"] == "0 6 * * *"
    assert desk.run("plan").returncode == 2, "the specs say something else by now"


@pytest.mark.parametrize("moved", ["switched", "another", "gone"])
def test_a_server_that_has_moved_on_is_told_and_left_alone(desk: Desk, moved: str) -> None:
    desk.write(one={"cron": "0 6 * * *"}, two={})
    desk.register()
    desk.write(one={"cron": "0 7 * * *"}, two={}, three={})
    path = saved(desk)
    if moved == "switched":
        desk.switch("demo.one", on=False)
    elif moved == "another":
        desk.register()
    else:
        with desk.server.client() as client:
            client.delete_deployment(desk.there()["demo.two"].id)
    said = refused(desk, path)
    assert "the server has moved on since the plan was made" in said
    expected = {"switched": "`demo.one` has other schedules", "another": "`demo.three` is there now"}
    assert expected.get(moved, "`demo.two` is gone") in said


@ON_SQLITE
def test_options_stand_in_the_plan(desk: Desk) -> None:
    desk.write(one={}, two={})
    desk.register()
    desk.write(one={})
    path = saved(desk, "--prune")
    assert "give its options to `flowmill plan`" in apply(desk, path, "--prune").stderr
    assert apply(desk, path, "--max-delete", "0").returncode == 1
    assert apply(desk, path).returncode == 0
    assert sorted(desk.there()) == ["demo.one"]


@ON_SQLITE
def test_a_plan_of_another_environment_or_server_is_refused(desk: Desk) -> None:
    desk.write(one={})
    desk.register()
    path = saved(desk)
    assert "the plan is of `staging`, not of `production`" in refused(desk, path, "--env", "production")
    elsewhere = apply(desk, path, server=desk.server.api_url)
    assert elsewhere.returncode == 1
    assert f"the plan is for {desk.proxy.api_url}" in elsewhere.stderr


def edited(content: dict[str, Any]) -> None:
    content["manifest"]["deployments"][0]["body"]["description"] = "other"


def edited_with_care(content: dict[str, Any]) -> None:
    edited(content)
    del content["digest"]
    content["digest"] = digest_of(content)


def of_the_future(content: dict[str, Any]) -> None:
    content["format"] = 99


@ON_SQLITE
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (edited, "the plan has been edited"),
        (edited_with_care, "the manifest has been edited"),
        (of_the_future, "has format 99, and this release reads 1"),
        (dict.clear, "this is no plan"),
    ],
)
def test_a_file_that_is_not_as_it_was_saved_is_refused(
    desk: Desk, change: Callable[[dict[str, Any]], None], said: str
) -> None:
    desk.write(one={})
    desk.register()
    path = saved(desk)
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    assert said in refused(desk, path)


@ON_SQLITE
def test_what_cannot_be_registered_is_not_saved(desk: Desk) -> None:
    desk.write(one={"server": "etl-02"}, workspace={"servers": {"etl-01": {}, "etl-02": {}}})
    path = desk.folder.parent / "staging.plan"
    ran = desk.run("plan", "--out", str(path))
    assert (ran.returncode, path.exists()) == (1, False)
    assert "there is no work pool `etl-02`" in ran.stdout
