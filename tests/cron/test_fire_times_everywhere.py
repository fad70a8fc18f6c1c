"""Fire times in all zones whose clocks change in the next two years: by an oracle and by Prefect's real server."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest

from flowmill.times.clock_changes import clock_changes, concerned_times
from flowmill.times.cron import Cron, parse
from flowmill.times.fire_times import fire_times
from support.clock_oracle import (
    DAY,
    MINUTE,
    Quarters,
    changing_zones,
    expression_near,
    fires_on,
    moments_around,
    offset,
    quarters,
    shown,
)

YEARS = 2
FIXED = datetime(2026, 11, 26, tzinfo=UTC)
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
ORDINARY = (datetime(2027, 7, 29, tzinfo=UTC), datetime(2028, 2, 27, tzinfo=UTC), datetime(2026, 12, 30, tzinfo=UTC))
JUST = timedelta(microseconds=1)


@cache
def clock(zone: str, day: datetime) -> Quarters:
    """The zone's clock from two days before a day until two days after its beginning."""
    return quarters(zone, day - 2 * DAY, day + 2 * DAY)


@cache
def zones_from(start: datetime) -> dict[str, list[datetime]]:
    return changing_zones(start, YEARS)


def by_flowmill(cron: Cron, zone: str, after: datetime, before: datetime) -> list[datetime]:
    return [it.astimezone(UTC) for it in fire_times(cron, zone, after, 10_000, before=before)]


def cases(chance: random.Random, zone: str, days: list[datetime], count: int) -> Iterator[tuple[str, Cron]]:
    """Expressions of the accepted subset that fire near these days."""
    while count:
        text = expression_near(chance, shown(chance.choice(days) + DAY, zone))
        cron = parse(text)
        if isinstance(cron, Cron) and cron.explicit not in _drawn:
            _drawn.add(cron.explicit)
            count -= 1
            yield text, cron


_drawn = set[str]()
"""What a case has been made of, so that there are as many expressions as cases."""


def differences(chance: random.Random, zone: str, days: list[datetime], count: int) -> Iterator[tuple[object, ...]]:
    """What flowmill and the oracle say differently: before, within and after two changes, and on ordinary days."""
    for number, (text, cron) in enumerate(cases(chance, zone, days, count)):
        two_changes = days[number % 3 :][:2]
        for day in (*two_changes, chance.choice(ORDINARY)):
            due, end = fires_on(text, clock(zone, day)), day + 2 * DAY
            for after in moments_around(chance, day):
                wanted = [it for it in due if it >= after]
                got = by_flowmill(cron, zone, after - JUST, end)
                yield (zone, text, after, wanted, got) if got != wanted else ()


@pytest.mark.parametrize(("start", "count"), [(FIXED, 10), (TODAY, 1)], ids=["fixed", "from-today"])
def test_all_zones_that_change_their_clocks_agree_with_the_oracle(start: datetime, count: int) -> None:
    chance, zones = random.Random(20261126), zones_from(start)
    compared = [it for zone, days in zones.items() for it in differences(chance, zone, days, count)]
    assert [it for it in compared if it] == []
    assert len(zones) * 10 > 2_000
    assert len(compared) >= 6 * count * (len(zones) - 1)


def test_a_clock_change_is_where_the_clock_says_so() -> None:
    """To the minute, in every zone, and for the times that are skipped or come twice."""
    for zone, days in zones_from(FIXED).items():
        changes = clock_changes(zone, FIXED, FIXED + YEARS * 366 * DAY)
        assert [(it.at - MINUTE).replace(hour=0, minute=0) for it in changes] == days
        for it in changes:
            assert (offset(it.at - MINUTE, zone), offset(it.at, zone)) == (it.before, it.after)
            walls = (shown(it.at - MINUTE, zone) + MINUTE, shown(it.at, zone))
            assert (it.first, it.end) == tuple(sorted(walls))
            assert it.is_gap == (walls[0] < walls[1])


def test_a_zone_without_changes_has_none() -> None:
    without = [it for it in ("UTC", "Asia/Tokyo", "America/Phoenix") if clock_changes(it, FIXED, FIXED + 700 * DAY)]
    assert without == []


@pytest.mark.parametrize(
    ("text", "zone", "local", "fires", "otherwise"),
    [
        ("30 2 * * *", "America/New_York", "03-14T02:30", "07:30", "06:30"),
        ("30 1 * * *", "America/New_York", "11-07T01:30", "05:30", "06:30"),
        ("15 2 * * SUN", "Australia/Lord_Howe", "10-03T02:15", "15:45", "15:15"),
        ("0 0 30 4 *", "Africa/Cairo", "04-30T00:00", "22:00", "21:00"),
        ("30 2 * * MON", "America/New_York", None, "", ""),
        ("0 3 * * *", "America/New_York", None, "", ""),
        ("59 0 * * *", "America/New_York", None, "", ""),
        ("0 2 7 11 *", "America/New_York", None, "", ""),
    ],
)
def test_the_times_that_a_change_concerns(text: str, zone: str, local: str | None, fires: str, otherwise: str) -> None:
    cron = parse(text)
    assert isinstance(cron, Cron)
    span = (datetime(2027, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC))
    found = [
        (f"{it.wall:%m-%dT%H:%M}", f"{it.fires:%H:%M}", f"{it.otherwise:%H:%M}")
        for it in concerned_times(cron, zone, *span)
    ]
    assert found == ([] if local is None else [(local, fires, otherwise)])
