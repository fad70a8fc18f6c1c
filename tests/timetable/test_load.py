"""Runs and load, counted again by other programs: cronsim for the times, dateutil for the clocks."""

import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from dateutil import tz

from flowmill.times.cron import Cron, parse
from flowmill.timetable.calendar import days_from
from flowmill.timetable.load import fires, load_by_server_and_hour, next_fires
from support.cron_oracle import random_expression
from timetable.plans import plan_with, schedule

ZONES = [
    "America/Chicago",
    "Europe/Berlin",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "America/Havana",
    "UTC",
]


def counted_again(explicit: str, zone: str, start: datetime, end: datetime) -> list[datetime]:
    clock = tz.gettz(zone)
    assert clock is not None
    found = set()
    for wall in CronSim(explicit, (start - timedelta(days=2)).replace(tzinfo=None)):
        if wall > end.replace(tzinfo=None) + timedelta(days=2):
            break
        moment = tz.resolve_imaginary(wall.replace(tzinfo=clock)).astimezone(UTC)
        found.add(moment)
    return sorted(it for it in found if start <= it < end)


def cases(count: int) -> Iterator[tuple[str, str, datetime, datetime]]:
    chance = random.Random(20261126)
    while count:
        cron = parse(random_expression(chance))
        if isinstance(cron, Cron):
            count -= 1
            # Around the days when clocks change, in either half of the world.
            month, day = chance.choice([(3, 6), (3, 27), (4, 3), (4, 23), (10, 2), (10, 23), (10, 30)])
            start = datetime(2026, month, day, chance.randrange(24), chance.randrange(60), tzinfo=UTC)
            yield cron.explicit, chance.choice(ZONES), start, start + timedelta(days=chance.randint(1, 7))


def test_every_run_of_a_week_is_found_and_no_other() -> None:
    runs = 0
    for explicit, zone, start, end in cases(400):
        found = [fire.moment for fire in fires([plan_with(schedule(explicit, zone))], start, end)]
        assert found == counted_again(explicit, zone, start, end), (explicit, zone, start)
        runs += len(found)
    assert runs > 2_000


def test_the_start_belongs_to_it_and_the_end_does_not() -> None:
    start = datetime(2026, 6, 1, 6, tzinfo=UTC)
    plans = [plan_with(schedule("0 * * * *", "UTC"))]
    assert [it.moment.hour for it in fires(plans, start, start + timedelta(hours=2))] == [6, 7]
    assert next_fires(plans, start, 1)[0].moment == start
    assert fires(plans, start, start) == []


def test_a_paused_schedule_starts_nothing() -> None:
    start = datetime(2026, 6, 1, tzinfo=UTC)
    plan = plan_with(schedule("0 * * * *", "UTC", paused=True), schedule("30 6 * * *", "UTC", name="daily"))
    found = fires([plan], start, start + timedelta(days=1))
    assert [(it.schedule, it.moment.hour) for it in found] == [("daily", 6)]
    assert {it.schedule for it in next_fires([plan], start, 5)} == {"daily"}


def test_load_is_what_starts_in_each_hour() -> None:
    start, end = datetime(2026, 10, 24, tzinfo=UTC), datetime(2026, 10, 27, tzinfo=UTC)
    plans = [
        plan_with(schedule("*/20 * * * *", "Europe/Berlin"), server="one"),
        plan_with(schedule("0 6 * * *", "Asia/Kolkata"), server="one"),
        plan_with(schedule("59 23 * * *", "UTC"), server="two"),
    ]
    found = fires(plans, start, end)
    load = load_by_server_and_hour(found)
    again = Counter((it.server, it.moment.strftime("%d %H")) for it in found)
    assert {
        (server, f"{hour:%d %H}"): count for server, hours in load.items() for hour, count in hours.items()
    } == again
    assert load["one"][datetime(2026, 10, 25, 0, tzinfo=UTC)] == 4  # three, and 06:00 in Kolkata


def test_hours_begin_where_the_clocks_of_a_zone_say() -> None:
    start = datetime(2026, 6, 1, tzinfo=UTC)
    found = fires([plan_with(schedule("0,59 6 * * *", "Asia/Kolkata"))], start, start + timedelta(days=1))
    load = load_by_server_and_hour(found, "Asia/Kolkata")
    assert load == {"etl-01": {datetime(2026, 6, 1, 0, 30, tzinfo=UTC): 2}}


@pytest.mark.parametrize(
    ("zone", "day", "hours", "odd"),
    [
        ("America/Chicago", datetime(2026, 3, 8), 23, {2: 0}),
        ("America/Chicago", datetime(2026, 11, 1), 25, {1: 2}),
        ("America/Chicago", datetime(2026, 6, 1), 24, {}),
        ("Africa/Cairo", datetime(2026, 4, 24), 23, {0: 0}),
        ("America/Havana", datetime(2026, 11, 1), 25, {0: 2}),
        ("Australia/Lord_Howe", datetime(2026, 4, 5), 24.5, {1: 2}),
        ("Australia/Lord_Howe", datetime(2026, 10, 4), 23.5, {}),
    ],
)
def test_a_day_is_as_long_as_its_clocks_say(zone: str, day: datetime, hours: float, odd: dict[int, int]) -> None:
    clock = ZoneInfo(zone)
    (found,) = days_from(day.replace(hour=12, tzinfo=clock), 1, clock)
    assert found.length == timedelta(hours=hours)
    assert {hour: len(found.at(hour)) for hour in range(24) if len(found.at(hour)) != 1} == odd


@pytest.mark.parametrize("zone", ZONES)
def test_days_follow_each_other_and_every_run_has_its_hour(zone: str) -> None:
    clock = ZoneInfo(zone)
    days = days_from(datetime(2026, 1, 1, tzinfo=clock), 365, clock)
    assert all(one.end == other.start for one, other in pairwise(days))
    found = fires([plan_with(schedule("7,37 * * * *", zone))], days[0].start, days[-1].end)
    load = load_by_server_and_hour(found, zone)["etl-01"]
    assert sum(load[start] for day in days for start in day.hours) == len(found)
