"""Declared, last applied, live: what the three of them come to, without a server."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flowmill.local.select import plan_of
from flowmill.registering.body import Code, deployment_body
from flowmill.registering.changes import Change, changes_between
from flowmill.registering.live import FLOW, WORKSPACE, Live
from flowmill.registering.manifest import Declared, Manifest, ManifestError, read_manifest
from support.flows import script, write_job

CODE = Code("https://example.org/flows.git", commit="a" * 40, folder="specs")


def declared(folder: Path, **keys: Any) -> Declared:
    spec = write_job(folder, script("work"), **{"cron": "0 6 * * *", **keys})
    plan = plan_of(spec, "staging")
    body = deployment_body(plan, CODE)
    return Declared(plan.name, plan.spec_path, "0" * 16, CODE.commit, plan.protect, plan.moved_from, body)


def manifest(*items: Declared) -> Manifest:
    return Manifest("ours", "staging", "a" * 40, (), "commit", "git", "main", {it.flow: it for it in items})


def live(applied: Declared, owner: str | None = "ours", flow: str = "", **changed: Any) -> Live:
    """What a server has after something was applied, and after what somebody changed there."""
    labels = {FLOW: flow or applied.flow, **({WORKSPACE: owner} if owner else {})}
    content = {**applied.body, "id": "1", "labels": labels, "version": applied.digest, **changed}
    return Live("1", flow or applied.flow, content)


def only(wanted: Declared, *server: Live, adopt: bool = False) -> Change:
    (change,) = changes_between(manifest(wanted), server, adopt=adopt).items
    return change


def switched(applied: Declared, *, on: bool) -> list[dict[str, Any]]:
    return [{**it, "active": on} for it in applied.body["schedules"]]


def test_what_is_equal_is_left_alone(tmp_path: Path) -> None:
    assert only(declared(tmp_path), live(declared(tmp_path))).action == "unchanged"


def test_what_is_new_is_created(tmp_path: Path) -> None:
    assert only(declared(tmp_path)).action == "create"


def test_what_the_spec_changed_is_updated(tmp_path: Path) -> None:
    change = only(declared(tmp_path, cron="0 7 * * *"), live(declared(tmp_path)))
    told = {it.path: (it.before, it.after, it.origin) for it in change.fields}
    assert change.action == "update"
    assert told["schedules.schedule-1.cron"] == ("0 6 * * *", "0 7 * * *", "spec")


def test_what_somebody_changed_on_the_server_is_put_back_and_said(tmp_path: Path) -> None:
    wanted = declared(tmp_path)
    change = only(wanted, live(wanted, description="by hand"))
    assert [(it.path, it.before, it.after, it.origin) for it in change.fields] == [
        ("description", "by hand", "", "server")
    ]


def test_both_changed_one_field(tmp_path: Path) -> None:
    change = only(declared(tmp_path, description="new"), live(declared(tmp_path), description="by hand"))
    assert {it.origin for it in change.fields if it.path == "description"} == {"both"}


OTHERWISE: dict[str, Any] = {
    "description": "another",
    "tags": ["another"],
    "work_pool_name": "another",
    "work_queue_name": "another",
    "parameters": {"another": 1},
    "parameter_openapi_schema": {"properties": {"another": {"type": "string"}}},
    "enforce_parameter_schema": False,
    "job_variables": {"another": 1},
    "entrypoint": "another.py:flow",
    "path": "/another",
    "pull_steps": [{"another.step": {}}],
    "concurrency_limit": 7,
    "schedules": [],
}
SEEN_OTHERWISE = {
    "name": "it says which deployment it is",
    "paused": "a switch: it stays as the operator put it",
    "concurrency_options": "it means nothing without a limit",
}


def test_every_field_that_is_told_is_one_of_these(tmp_path: Path) -> None:
    """A field of `body` that `view` forgets would be sent, and a change of it by hand never be seen."""
    assert {*OTHERWISE, *SEEN_OTHERWISE} == {*declared(tmp_path).body}


@pytest.mark.parametrize("field", OTHERWISE)
def test_a_field_that_somebody_has_changed_is_seen(tmp_path: Path, field: str) -> None:
    wanted = declared(tmp_path)
    found = only(wanted, live(wanted, **{field: OTHERWISE[field]}))
    assert found.action == "update"
    if field != "pull_steps":  # with ours goes the record of what was applied
        assert {it.origin for it in found.fields} == {"server"}


@pytest.mark.parametrize("paused", [False, True], ids=["off", "on"])
def test_a_switch_stays_as_the_operator_put_it(tmp_path: Path, paused: bool) -> None:
    wanted = declared(tmp_path, paused=paused)
    change = only(wanted, live(wanted, schedules=switched(wanted, on=paused)))
    assert (change.action, [(it.schedule, it.is_on) for it in change.kept]) == (
        "unchanged",
        [("schedule-1", paused)],
    )


def test_a_switch_stays_also_when_the_rest_changes(tmp_path: Path) -> None:
    before = declared(tmp_path)
    now = declared(tmp_path, cron="0 7 * * *")
    change = only(now, live(before, schedules=switched(before, on=False)))
    assert (change.action, change.is_on("schedule-1", True)) == ("update", False)
    assert "schedules.schedule-1.active" not in {it.path for it in change.fields}
    assert {it.origin for it in change.fields} == {"spec"}


def test_a_switch_that_the_spec_changes_is_the_specs(tmp_path: Path) -> None:
    before = declared(tmp_path, paused=True)
    change = only(declared(tmp_path), live(before))
    assert (change.kept, change.is_on("schedule-1", True)) == ((), True)
    assert "schedules.schedule-1.active" in {it.path for it in change.fields}


def test_a_deployment_that_was_paused_as_a_whole_stays_so(tmp_path: Path) -> None:
    wanted = declared(tmp_path)
    change = only(wanted, live(wanted, paused=True))
    assert (change.action, change.paused) == ("unchanged", True)


def test_a_schedule_that_was_added_by_hand_goes(tmp_path: Path) -> None:
    wanted = declared(tmp_path)
    added = {"id": "2", "slug": None, "schedule": {"interval": 60}, "active": True, "parameters": {}}
    change = only(wanted, live(wanted, schedules=[*wanted.body["schedules"], added]))
    assert [(it.path, it.origin) for it in change.fields] == [("schedules.2", "server")]


def test_what_others_have_made_is_not_touched_unless_it_is_adopted(tmp_path: Path) -> None:
    wanted = declared(tmp_path)
    for owner in (None, "theirs"):
        there = live(wanted, owner)
        assert changes_between(manifest(wanted), [there]).foreign == (there,)
        assert not changes_between(manifest(wanted), [there], adopt=True).foreign
        assert changes_between(manifest(), [there]).items == ()


@pytest.mark.parametrize(("protect", "action"), [(False, "delete"), (True, "protected")])
def test_what_is_declared_no_more(tmp_path: Path, protect: bool, action: str) -> None:
    assert [it.action for it in changes_between(manifest(), [live(declared(tmp_path, protect=protect))]).items] == [
        action
    ]


def test_a_flow_that_has_moved_brings_its_switches(tmp_path: Path) -> None:
    before = declared(tmp_path)
    former = live(before, flow="demo.old", schedules=switched(before, on=False))
    change = only(replace(before, moved_from="demo.old"), former)
    assert (change.action, change.former, change.is_on("schedule-1", True)) == ("move", former, False)


def test_a_manifest_is_read_as_it_was_written_and_not_when_it_was_edited(tmp_path: Path) -> None:
    written = manifest(declared(tmp_path)).to_json()
    assert read_manifest(written).to_json() == written
    with pytest.raises(ManifestError, match="edited"):
        read_manifest(written.replace("0 6 * * *", "0 7 * * *"))
    with pytest.raises(ManifestError, match="no manifest"):
        read_manifest("[]")
