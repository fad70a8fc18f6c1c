"""`flowmill rollback` on real servers, and the manifests that are kept there."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from flowmill.registering.kept import Kept, NotKept, chosen
from flowmill.registering.manifest import ManifestError
from support.desk import ON_SQLITE, Desk
from support.flows import write_job
from support.proxy import Answer

SIX, SEVEN = {"cron": "0 6 * * *"}, {"cron": "0 7 * * *"}


def listed(desk: Desk) -> list[dict[str, Any]]:
    ran = desk.run("rollback", "--list", "--format", "json")
    assert ran.returncode == 0, ran.stderr
    found: list[dict[str, Any]] = json.loads(ran.stdout)
    return found


def content(desk: Desk) -> dict[str, Any]:
    """What the deployments are, without what changes with every write."""
    volatile = {"updated", "id", "created", "schedules", "last_polled", "status"}
    return {
        flow: (
            it.model_dump(mode="json", exclude=volatile),
            [(one.slug, one.active, one.schedule.model_dump()) for one in it.schedules],
        )
        for flow, it in desk.there().items()
    }


@pytest.mark.prefect
def test_there_and_back_again(desk: Desk) -> None:
    desk.write(one=SIX, two=SIX)
    desk.register()
    before = content(desk)
    desk.write(one=SEVEN, three=SIX)
    desk.register("--prune")
    after = content(desk)
    assert before.keys() == {"demo.one", "demo.two"}
    assert after.keys() == {"demo.one", "demo.three"}

    written = len(desk.proxy.writes)
    planned = desk.run("rollback", "--dry-run")
    assert (planned.returncode, desk.proxy.writes[written:]) == (0, [])
    assert "- demo.three  delete" in planned.stdout
    assert "schedules.schedule-1.cron  0 7 * * * -> 0 6 * * *" in planned.stdout
    assert content(desk) == after

    back = desk.run("rollback")
    assert back.returncode == 0, back.stderr
    assert {flow: it for flow, it in content(desk).items() if flow == "demo.one"} == {"demo.one": before["demo.one"]}
    assert content(desk).keys() == before.keys()
    assert [it["by"] for it in listed(desk)] == ["rollback", "register", "register"]
    assert desk.run("drift").returncode == 0

    again = desk.register("--prune").stdout
    assert "the environment was rolled back to manifest" in again
    assert content(desk).keys() == after.keys()
    written = len(desk.proxy.writes)
    assert "rolled back" not in desk.register().stdout
    assert desk.proxy.writes[written:] == []


@pytest.mark.prefect
def test_no_more_is_deleted_than_allowed_and_switches_stay(desk: Desk) -> None:
    desk.write(one=SIX)
    desk.register()
    desk.write(one=SEVEN, two={}, three={})
    desk.register()
    desk.switch("demo.one", on=False)
    written = len(desk.proxy.writes)
    refused = desk.run("rollback", "--max-delete", "1")
    assert (refused.returncode, desk.proxy.writes[written:]) == (1, [])
    assert "2 deployments would be deleted" in refused.stderr
    assert desk.run("rollback", "--max-delete", "2").returncode == 0
    (read,) = desk.there().values()
    assert [(it.schedule.cron, it.active) for it in read.schedules] == [("0 6 * * *", False)]


@pytest.mark.prefect
@ON_SQLITE
def test_the_newest_manifest_repairs_what_was_changed_by_hand(desk: Desk) -> None:
    desk.write(one=SIX)
    desk.register()
    with desk.server.client() as client:
        client.delete_deployment(desk.there()["demo.one"].id)
    assert desk.run("rollback", "--to", "0").returncode == 0
    assert set(desk.there()) == {"demo.one"}
    assert len(listed(desk)) == 1
    nothing = desk.run("rollback")
    assert (nothing.returncode, "no earlier manifest is kept" in nothing.stderr) == (1, True)


@pytest.mark.prefect
@ON_SQLITE
def test_a_manifest_that_could_not_be_kept_is_kept_by_the_next_register(desk: Desk) -> None:
    desk.write(one=SIX)
    desk.register()
    desk.write(one=SEVEN)
    desk.proxy.rule("POST", "/artifacts/", answer=Answer(500, b"{}"))
    assert desk.run("register").returncode == 1
    desk.proxy.rules.clear()
    assert len(listed(desk)) == 1
    assert desk.writes("register") == [("POST", "/artifacts/")]
    assert len(listed(desk)) == 2


@pytest.mark.prefect
def test_the_last_twenty_are_kept_also_when_they_are_large(desk: Desk) -> None:
    """Of the size of 300 deployments with a long description each."""
    from flowmill.backend.manifests import KEPT, keep, kept_manifests, newest
    from flowmill.backend.server import configured
    from flowmill.local.select import plan_of
    from flowmill.registering.body import Code, deployment_body
    from flowmill.registering.manifest import Declared, Manifest
    from support.prefect_server import addressed

    plan = plan_of(write_job(desk.folder, {"id": "work", "type": "script", "command": "true"}, **SIX), "staging")
    body = deployment_body(plan, Code("https://example.org/flows.git", commit="a" * 40, folder="specs"))

    def manifest(number: int) -> Manifest:
        names = [f"demo.job-{it}" for it in range(300)]
        bodies = {name: {**body, "description": f"{number} {name} " * 30} for name in names}
        declared = {name: Declared(name, "demo/job.yaml", "0", "a" * 40, False, "", bodies[name]) for name in names}
        return Manifest(desk.folder.name, "staging", f"{number:040}", (), "commit", "git", "main", declared)

    with addressed(desk.server), configured() as server:
        for number in range(KEPT + 2):
            keep(server, manifest(number), "register", newest(server, desk.folder.name, "staging"))
        kept = kept_manifests(server, desk.folder.name, "staging", 200)
        assert [int(it.commit) for it in kept] == list(range(KEPT + 1, 1, -1))
        assert kept[0].manifest() == manifest(KEPT + 1)
        assert kept_manifests(server, desk.folder.name, "production") == []


def of(number: int, commit: str, digest: str) -> Kept:
    at = datetime(2026, 1, 1, number, tzinfo=UTC)
    return Kept(str(number), at, "register", commit * 40, "git", digest * 16, 1, "0.1.0", "")


KEPT_ONES = [of(3, "c", "3"), of(2, "b", "3"), of(1, "b", "2"), of(0, "a", "1")]


@pytest.mark.parametrize(
    ("wanted", "id"),
    [(None, "1"), ("0", "3"), ("3", "0"), ("aaaa", "0"), ("A" * 40, "0"), ("2222", "1"), ("3333", "3"), ("cccc", "3")],
)
def test_which_manifest_is_meant(wanted: str | None, id: str) -> None:
    assert chosen(KEPT_ONES, wanted).id == id


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ("4", "the oldest that is kept is 3"),
        ("bbbb", f"several manifests: {'3' * 16}, {'2' * 16}"),
        ("abc", "begins with `abc`"),
        ("", "begins with ``"),
        ("main", "begins with `main`"),
    ],
)
def test_no_manifest_is_meant(wanted: str, words: str) -> None:
    with pytest.raises(NotKept, match=words):
        chosen(KEPT_ONES, wanted)


@pytest.mark.parametrize("packed", ["", "no base64!", "AAAA"])
def test_what_is_no_manifest_any_more_is_said_to_be_none(packed: str) -> None:
    with pytest.raises(ManifestError):
        replace(KEPT_ONES[0], packed=packed).manifest()
