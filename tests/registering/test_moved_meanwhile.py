"""What somebody does on the server while a register is under way: between its look and its write."""

import pytest
from prefect.client.schemas.objects import StateType

from support.desk import Desk

pytestmark = pytest.mark.prefect

DAILY = {"cron": "0 6 * * *"}
ONE = r"/deployments/[^/]*"


@pytest.mark.parametrize("on", [False, True], ids=["off", "on"])
def test_a_switch_that_is_moved_meanwhile_stays_so(desk: Desk, on: bool) -> None:
    desk.write(one=DAILY)
    assert desk.register_here()[0] == 0
    desk.switch("demo.one", on=not on)
    desk.write(one={**DAILY, "description": "after"})
    desk.proxy.rule("PATCH", ONE, before=lambda: desk.switch("demo.one", on=on))
    assert desk.register_here()[0] == 0
    read = desk.there()["demo.one"]
    assert (read.description, [it.active for it in read.schedules]) == ("after", [on])
    assert bool(desk.runs(read.id, StateType.SCHEDULED)) == on
    assert desk.writes("register") == []


def test_a_deployment_that_is_deleted_meanwhile_is_named_and_made_by_the_next(desk: Desk) -> None:
    desk.write(one=DAILY, two=DAILY)
    assert desk.register_here()[0] == 0
    doomed = desk.there()["demo.one"].id
    desk.write(one={**DAILY, "description": "after"}, two={**DAILY, "description": "after"})

    def delete() -> None:
        with desk.server.client() as client:
            client.delete_deployment(doomed)

    desk.proxy.rule("PATCH", ONE, before=delete)
    code, text = desk.register_here()
    assert code == 1
    assert "Error: demo.one: somebody has just deleted it or its work pool; run `flowmill register` again" in text
    assert desk.there()["demo.two"].description == "after", "the others are not held up"
    assert desk.register_here()[0] == 0
    assert {it.description for it in desk.there().values()} == {"after"}
