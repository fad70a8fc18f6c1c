"""`flowmill drift` on real servers: what somebody has changed by hand since an environment was registered."""

import json
import shutil
from typing import Any

import pytest

from support.desk import ON_SQLITE, Desk
from support.flows import flowmill
from support.proxy import ALWAYS, UNAVAILABLE

pytestmark = pytest.mark.prefect

CRON = {"cron": "0 6 * * *"}


def drifted(desk: Desk) -> dict[str, dict[str, Any]]:
    """What has drifted, by the names of flows."""
    ran = desk.run("drift", "--format", "json")
    found = json.loads(ran.stdout)["drift"]
    assert ran.returncode == (2 if found else 0)
    return {it["flow"]: it for it in found}


def test_what_is_as_it_was_registered_has_not_drifted_and_nothing_is_written(desk: Desk) -> None:
    desk.write(one=CRON, two={})
    desk.register()
    assert desk.writes("drift") == []
    told = desk.run("drift")
    assert (told.returncode, "no drift: 2 deployments as registered" in told.stdout) == (0, True)


def test_everything_that_was_changed_by_hand_is_told(desk: Desk) -> None:
    """Also a deployment that the last manifest does not have; but one that is protected was told to stay."""
    desk.write(deleted={}, changed=CRON, switched=CRON, left={}, safe={"protect": True}, same=CRON)
    desk.register()
    desk.write(deleted={}, changed=CRON, switched=CRON, same=CRON)
    desk.register()
    there = desk.there()
    with desk.server.client() as client:
        client.delete_deployment(there["demo.deleted"].id)
        client.request("PATCH", f"/deployments/{there['demo.changed'].id}", json={"description": "by hand"})
    desk.switch("demo.switched", on=False)
    found = drifted(desk)
    assert {flow: it["kind"] for flow, it in found.items()} == {
        "demo.changed": "changed",
        "demo.deleted": "deleted",
        "demo.left": "undeclared",
        "demo.switched": "changed",
    }
    assert found["demo.changed"]["fields"] == [
        {"path": "description", "applied": "", "live": "by hand", "by_hand": True}
    ]
    assert found["demo.switched"]["switches"] == [{"schedule": "schedule-1", "on": False}]
    told = desk.run("drift").stdout
    assert "schedule `schedule-1` was switched off" in told
    assert "description  - -> by hand\n" in told
    desk.register("--prune")
    assert list(drifted(desk)) == ["demo.switched"], "the switch is the operator's"


def test_a_deployment_that_somebody_else_has_made_under_our_name(desk: Desk) -> None:
    desk.write(one={})
    desk.register()
    with desk.server.client() as client:
        flow = client.create_flow_from_name("demo.one")
        client.delete_deployment(desk.there()["demo.one"].id)
        theirs = client.create_deployment(flow, "staging")
        assert drifted(desk)["demo.one"]["kind"] == "taken"
        client.delete_deployment(theirs)


@ON_SQLITE
def test_flowmill_yaml_is_enough(desk: Desk) -> None:
    desk.write(one={})
    desk.register()
    shutil.rmtree(desk.folder / "demo")
    assert drifted(desk) == {}


@ON_SQLITE
def test_what_a_register_has_left_half_done_is_not_called_somebodys(desk: Desk) -> None:
    desk.write(one=CRON, two=CRON)
    desk.register()
    desk.write(one={"cron": "0 7 * * *"}, two={"cron": "0 7 * * *"})
    desk.proxy.rule("PATCH", "/deployments/[^/]*", answer=UNAVAILABLE, nth=2, times=ALWAYS)
    assert desk.run("register").returncode == 1
    desk.proxy.rules.clear()
    (drift,) = drifted(desk).values()
    assert drift["flow"] == "demo.one"
    assert {it["by_hand"] for it in drift["fields"]} == {False}
    assert "(by a register that has not come to its end)" in desk.run("drift").stdout
    desk.register()
    assert drifted(desk) == {}


@ON_SQLITE
def test_without_anything_kept_there_is_an_error(desk: Desk) -> None:
    desk.write(one={})
    ran = desk.run("drift")
    assert (ran.returncode, "keeps no manifest of `staging`" in ran.stderr) == (1, True)
    assert "`flowmill register --env staging` keeps one" in ran.stderr
    wrong = flowmill("drift", "--env", "stagin", cwd=desk.folder, PREFECT_API_URL=desk.proxy.api_url)
    assert (wrong.returncode, "did you mean `staging`?" in wrong.stderr) == (1, True)
    assert desk.run("drift", "--bad").returncode == 1
