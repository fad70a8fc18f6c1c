"""What the server schedules is what flowmill shows, for every kind of expression that schedulers read differently."""

import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from flowmill.times.cron import parse
from flowmill.times.fire_times import fire_times
from support.desk import ON_SQLITE, Desk

pytestmark = [pytest.mark.prefect, ON_SQLITE]

INSTEAD = {
    # id: what is refused, and what its hint says instead
    "c03-5": ("0 0 */5 * *", ["0 0 1 * *", "0 0 6,11,16,21,26,31 * *"]),
    "c03-6": ("0 0 */6 * *", ["0 0 1 * *", "0 0 7,13,19,25,31 * *"]),
    "c03-10": ("0 0 */10 * *", ["0 0 1 * *", "0 0 11,21,31 * *"]),
    "c03-15": ("0 0 */15 * *", ["0 0 1 * *", "0 0 16,31 * *"]),
    "c03-29": ("0 0 */29 * *", ["0 0 1 * *", "0 0 30 * *"]),
    "c03-30": ("0 0 */30 * *", ["0 0 1 * *", "0 0 31 * *"]),
    "c03-list": ("0 0 1,31 * *", ["0 0 1 * *", "0 0 31 * *"]),
    "c04-hour": ("0 9-9 * * *", ["0 9 * * *"]),
    "c04-name": ("0 9 * * MON-MON", ["0 9 * * MON"]),
    "c04-sunday": ("0 9 * * 7-7", ["0 9 * * 7"]),
    "c05-minute": ("59/15 * * * *", ["59 * * * *"]),
    "c05-hour": ("0 23/6 * * *", ["0 23 * * *"]),
    "c05-day": ("0 0 31/5 * *", ["0 0 31 * *"]),
    "c05-month": ("0 0 1 DEC/3 *", ["0 0 1 DEC *"]),
    "c05-saturday": ("0 0 * * SAT/2", ["0 0 * * SAT"]),
    "c05-step-of-1": ("0 0 * * 6/1", ["0 0 * * 6"]),
}
NEVER = {
    "c06-31-february": ("0 0 31 2 *", "month `2` has no day `31`"),
    "c06-30-february": ("0 0 30 2 *", "month `2` has no day `30`"),
    "c06-31-april": ("0 0 31 4 *", "month `4` has no day `31`"),
    "c06-a-year": ("0 0 1 1 * 1999", "is a year, which cron does not have"),
}
YEARS = (2027, 2028)
AHEAD = datetime.now(UTC) + timedelta(days=100)


def test_c03_to_c06_what_schedulers_read_differently_is_refused_with_what_to_write(desk: Desk) -> None:
    refused = {name: text for name, (text, _) in {**INSTEAD, **NEVER}.items()}
    desk.write(**{name: {"cron": text} for name, text in refused.items()})
    ran = desk.run("register", "--create")
    said = dict(_block(it) for it in ran.stderr.split("\n\n") if "[bad-cron]" in it)
    assert (ran.returncode, desk.proxy.requests) == (1, [])
    assert set(said) == set(refused)
    for name, (_, instead) in INSTEAD.items():
        written = instead if len(instead) > 1 else [_new_field(refused[name], instead[0])]
        assert all(f"`{it}`" in said[name] for it in written), said[name]
    for name, (_, words) in NEVER.items():
        assert words in said[name]


def _block(message: str) -> tuple[str, str]:
    """The flow that a message is about, and the message."""
    return message.partition(".yaml:")[0].removeprefix("demo/"), message


def _new_field(text: str, instead: str) -> str:
    """The one field that the hint writes otherwise."""
    return next(new for old, new in zip(text.split(), instead.split(), strict=True) if old != new)


def test_c03_to_c05_the_server_makes_the_runs_that_were_shown(desk: Desk) -> None:
    desk.write(**{name: {"schedules": [{"cron": it} for it in instead]} for name, (_, instead) in INSTEAD.items()})
    shown = {it["flow"]: it["after"]["next"] for it in json.loads(_plan(desk))["deployments"]}
    desk.register()
    for flow, deployment in desk.there().items():
        made = sorted(it.expected_start_time for it in desk.runs(deployment.id))
        # It makes three runs ahead, but none that is more than a hundred days away.
        assert made[:3] == [it for it in map(datetime.fromisoformat, shown[flow]) if it < AHEAD], flow
        expressions = INSTEAD[flow.removeprefix("demo.")][1]
        for year in YEARS:
            start, end = datetime(year, 2, 27, tzinfo=UTC), datetime(year, 3, 2, tzinfo=UTC)
            times = _made(desk, deployment.id, start, end)
            assert times == _declared(expressions, start, end), flow
            assert datetime(year, 3, 1, tzinfo=UTC) in times or "c03" not in flow


def _plan(desk: Desk) -> str:
    """Missing pools are told beside it."""
    return desk.run("plan", "--format", "json").stdout


def _made(desk: Desk, deployment: UUID, start: datetime, end: datetime) -> list[datetime]:
    """The runs that the server makes for a stretch of time."""
    body = {"start_time": start.isoformat(), "end_time": end.isoformat(), "min_runs": 100, "max_runs": 100}
    with desk.server.client() as client:
        client.request("POST", "/deployments/{id}/schedule", path_params={"id": deployment}, json=body)
    return sorted(time for it in desk.runs(deployment) if start <= (time := it.expected_start_time) < end)


def _declared(expressions: list[str], start: datetime, end: datetime) -> list[datetime]:
    """What flowmill says of the same time."""
    just_before, found = start - timedelta(microseconds=1), list[datetime]()
    for cron in (parse(it) for it in expressions):
        assert not isinstance(cron, list)
        found += fire_times(cron, "UTC", just_before, 1000, before=end)
    return sorted(found)


def test_a_flow_that_next_fires_in_half_a_year_is_registered(desk: Desk) -> None:
    """The server makes no run of it yet."""
    month = (datetime.now(UTC) + timedelta(days=182)).month
    desk.write(yearly={"cron": f"0 6 1 {month} *"})
    desk.register()
    assert desk.runs(desk.there()["demo.yearly"].id) == []
