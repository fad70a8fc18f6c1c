"""R18: the clock of the machine that registers says nothing about when flows run."""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Self

import pytest

from support.desk import Desk

pytestmark = pytest.mark.prefect

A_DAY = timedelta(days=1)


@pytest.fixture(params=[A_DAY, -A_DAY], ids=["a day ahead", "a day behind"])
def _wrong_clock(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The only clock that the way from specs to a server looks at."""
    shift: timedelta = request.param

    class Wrong(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return super().now(tz) + shift

    monkeypatch.setattr("flowmill.backend.server.datetime", Wrong)


@pytest.mark.usefixtures("_wrong_clock")
def test_r18_the_server_s_clock_counts(desk: Desk) -> None:
    desk.write(one={"cron": "* * * * *"}, two={"cron": "0 6 * * *"})
    printed = desk.register().stdout
    next_day = min(desk.due(desk.there()["demo.two"].id))
    assert f"{next_day:%Y-%m-%d %H:%M} UTC" in printed
    now = datetime.now(UTC)
    assert now - timedelta(minutes=1) < min(desk.due(desk.there()["demo.one"].id)) < now + timedelta(minutes=2)
    desk.write(one={"cron": "* * * * *", "description": "after"}, two={"cron": "0 7 * * *"})
    desk.register()
    assert {it.hour for it in desk.due(desk.there()["demo.two"].id)} == {7}
    assert desk.writes("register") == []
