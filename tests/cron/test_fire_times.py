"""When expressions fire: by the oracle, by three cron libraries, by Prefect's server, and in time zones."""

import asyncio
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import combinations, islice
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from prefect._vendor.croniter.croniter import croniter as prefect_croniter
from prefect.server.schemas.schedules import CronSchedule

from flowmill.times.cron import Cron, parse
from flowmill.times.fire_times import fire_times
from support.cron_oracle import fires, random_expression


def random_cases(count: int, seed: int) -> Iterator[tuple[str, datetime]]:
    """Expressions with a moment each, often before a February that is a leap year's or not."""
    chance = random.Random(seed)
    for _ in range(count):
        day = datetime(chance.randint(2026, 2032), chance.choice([1, 2, 2, 7, 12]), chance.randint(1, 28))
        yield random_expression(chance), day + timedelta(minutes=chance.randrange(1440))


def accepted(text: str) -> Cron:
    cron = parse(text)
    assert isinstance(cron, Cron), cron
    return cron


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


def by_flowmill(cron: Cron, after: datetime, count: int) -> list[datetime]:
    """Through croniter, in a zone without clock changes."""
    return [moment.replace(tzinfo=None) for moment in fire_times(cron, "UTC", after.replace(tzinfo=UTC), count)]


def by_prefect(explicit: str, after: datetime, count: int) -> list[datetime]:
    untyped_croniter: Any = prefect_croniter
    return list(islice(untyped_croniter(explicit, after, ret_type=datetime).all_next(), count))


def by_cronsim(explicit: str, after: datetime, count: int) -> list[datetime]:
    return list(islice(CronSim(explicit, after), count))


def on_the_server(cron: Cron, zone: str, after: datetime, count: int) -> Sequence[datetime]:
    """What Prefect's server computes; it counts the start itself as not yet past."""
    schedule = CronSchedule(cron=cron.explicit, timezone=zone)
    times: Sequence[datetime] = asyncio.run(schedule.get_dates(count, after + timedelta(seconds=1)))
    return times


def skips_a_day_in_march(text: str) -> bool:
    """Whether Prefect's croniter leaves the end of a February for another day than the oracle does."""
    ends_of_february = (datetime(2027, 2, 28, 12), datetime(2028, 2, 29, 12))
    return any(by_prefect(text, end, 1) != fires(text, end, 1) for end in ends_of_february)


def test_c01_c02_all_libraries_agree_with_the_oracle_about_what_is_accepted() -> None:
    """What is refused is refused for a reason that the oracle confirms: no difference stays silent."""
    differing, checked, refused = [], 0, 0
    for text, after in random_cases(5_500, seed=20261101):
        cron = parse(text)
        if isinstance(cron, list):
            refused += 1
            assert skips_a_day_in_march(text) if "March" in cron[0].message else not fires(text, after, 1)
            continue
        checked += 1
        expected = fires(text, after, 5)
        by_library = (
            by_flowmill(cron, after, 5),
            *(by(cron.explicit, after, 5) for by in (by_prefect, by_cronsim)),
        )
        differing += [(text, after, expected, got) for got in by_library if got != expected]
    assert not differing
    assert checked >= 5_000
    assert refused > 50


def test_c03_day_lists_are_refused_exactly_where_prefects_server_skips_a_day() -> None:
    days = (1, 2, 3, 14, 28, 29, 30, 31)
    lists = [some for length in range(1, len(days) + 1) for some in combinations(days, length)]
    texts = [f"0 0 {','.join(map(str, some))} * *" for some in lists]
    refused = {text for text in texts if isinstance(parse(text), list)}
    starts = (datetime(2027, 1, 5), datetime(2028, 1, 5))
    skipped = {text for text in texts for start in starts if by_prefect(text, start, 20) != fires(text, start, 20)}
    assert refused == skipped
    assert refused


@pytest.mark.parametrize("step", [5, 6, 10, 15, 29, 30])
def test_c03_the_two_schedules_of_the_hint_run_on_1_march(step: int) -> None:
    problems = parse(f"0 0 */{step} * *")
    assert isinstance(problems, list)
    first, second = (accepted(text) for text in problems[0].hint.split("`")[1::2])
    for start in (datetime(2027, 1, 5), datetime(2028, 1, 5)):
        for cron in (first, second):
            assert by_prefect(cron.explicit, start, 30) == fires(cron.text, start, 30)
        both = sorted(by_prefect(first.explicit, start, 30) + by_prefect(second.explicit, start, 30))
        assert both[:10] == fires(f"0 0 */{step} * *", start, 10)


def test_c18_29_february_from_2028_to_2100() -> None:
    days = by_flowmill(accepted("0 0 29 2 *"), datetime(2027, 1, 1), 19)
    assert days == [datetime(year, 2, 29) for year in (*range(2028, 2100, 4), 2104)]
    assert days == fires("0 0 29 2 *", datetime(2027, 1, 1), 19, years=80)


UNKNOWN_ZONES = ("Mars/X", "UTC+2", "europe/berlin", "", "../../etc/passwd", "/etc/passwd", "America", "a\0b")


@pytest.mark.parametrize("zone", UNKNOWN_ZONES)
def test_c13_an_unknown_zone_is_an_error(zone: str) -> None:
    with pytest.raises(ValueError, match="unknown time zone"):
        fire_times(accepted("@daily"), zone, utc(2027, 1, 1), 1)


def test_a_moment_without_a_zone_is_an_error() -> None:
    with pytest.raises(ValueError, match="must have a time zone"):
        fire_times(accepted("@daily"), "UTC", datetime(2027, 1, 1), 1)


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        pytest.param(utc(2027, 1, 1, 8), utc(2027, 1, 1, 9), id="exactly-then"),
        pytest.param(utc(2027, 1, 1, 7, 59, 59), utc(2027, 1, 1, 8), id="a-second-before"),
        pytest.param(utc(2027, 1, 1, 8) - timedelta(microseconds=1), utc(2027, 1, 1, 8), id="a-microsecond-before"),
        pytest.param(utc(2027, 1, 1, 8, 0, 1), utc(2027, 1, 1, 9), id="a-second-after"),
        pytest.param(datetime(2027, 1, 1, 7, tzinfo=ZoneInfo("Asia/Tokyo")), utc(2026, 12, 31, 23), id="elsewhere"),
    ],
)
def test_the_first_time_is_later_than_the_given_moment(after: datetime, expected: datetime) -> None:
    assert fire_times(accepted("0 * * * *"), "UTC", after, 1) == [expected]


def test_no_times_are_given_where_none_are_asked_for() -> None:
    assert fire_times(accepted("0 * * * *"), "UTC", utc(2027, 1, 1), 0) == []


CHANGES = {
    # id: (expression, zone, after, local times)
    "C15-chicago-autumn": (
        "45 7 * * *",
        "America/Chicago",
        utc(2026, 10, 31),
        ["2026-10-31T07:45-05:00", "2026-11-01T07:45-06:00", "2026-11-02T07:45-06:00"],
    ),
    "C14-chicago-spring": (
        "45 7 * * *",
        "America/Chicago",
        utc(2027, 3, 13),
        ["2027-03-13T07:45-06:00", "2027-03-14T07:45-05:00", "2027-03-15T07:45-05:00"],
    ),
    "C14-new-york": (
        "30 2 * * *",
        "America/New_York",
        utc(2027, 3, 13),
        ["2027-03-13T02:30-05:00", "2027-03-14T03:30-04:00", "2027-03-15T02:30-04:00"],
    ),
    "C14-new-york-asked-within-the-hour-after": (
        "30 2 * * *",
        "America/New_York",
        utc(2027, 3, 14, 7, 10),
        ["2027-03-14T03:30-04:00", "2027-03-15T02:30-04:00"],
    ),
    "C14-new-york-asked-right-after-the-moved-run": (
        "30 2 * * *",
        "America/New_York",
        utc(2027, 3, 14, 7, 30),
        ["2027-03-15T02:30-04:00"],
    ),
    "C14-berlin-two-hours-become-one": (
        "0 2,3 * * *",
        "Europe/Berlin",
        utc(2027, 3, 28),
        ["2027-03-28T03:00+02:00", "2027-03-29T02:00+02:00", "2027-03-29T03:00+02:00"],
    ),
    "C14-cairo-midnight": (
        "0 0 * * *",
        "Africa/Cairo",
        utc(2027, 4, 29),
        ["2027-04-30T01:00+03:00", "2027-05-01T00:00+03:00"],
    ),
    "C14-havana-midnight": (
        "0 0 * * *",
        "America/Havana",
        utc(2027, 3, 13, 12),
        ["2027-03-14T01:00-04:00", "2027-03-15T00:00-04:00"],
    ),
    "C14-lord-howe-half-an-hour": (
        "15 2 * * *",
        "Australia/Lord_Howe",
        utc(2026, 10, 3),
        ["2026-10-04T02:45+11:00", "2026-10-05T02:15+11:00"],
    ),
    "C14-lord-howe-moved-runs-stay-in-order": (
        "10,15,35 2 * * *",
        "Australia/Lord_Howe",
        utc(2026, 10, 3),
        ["2026-10-04T02:35+11:00", "2026-10-04T02:40+11:00"],
    ),
    "C14-a-gap-leaves-no-hole-in-quarter-hours": (
        "*/15 * * * *",
        "America/New_York",
        utc(2027, 3, 14, 6, 40),
        ["2027-03-14T01:45-05:00", "2027-03-14T03:00-04:00", "2027-03-14T03:15-04:00"],
    ),
    "C15-daily-in-the-overlap": (
        "30 1 * * *",
        "America/New_York",
        utc(2026, 11, 1),
        ["2026-11-01T01:30-04:00", "2026-11-02T01:30-05:00"],
    ),
    "C15-hourly-through-the-overlap": (
        "0 * * * *",
        "America/New_York",
        utc(2026, 11, 1, 3, 30),
        ["2026-11-01T00:00-04:00", "2026-11-01T01:00-04:00", "2026-11-01T02:00-05:00"],
    ),
    "C15-asked-in-the-second-occurrence": (
        "*/15 * * * *",
        "America/New_York",
        datetime(2026, 11, 1, 1, 20, fold=1, tzinfo=ZoneInfo("America/New_York")),
        ["2026-11-01T02:00-05:00", "2026-11-01T02:15-05:00"],
    ),
}


@pytest.mark.parametrize(("text", "zone", "after", "expected"), CHANGES.values(), ids=CHANGES)
def test_times_where_clocks_change(text: str, zone: str, after: datetime, expected: list[str]) -> None:
    times = fire_times(accepted(text), zone, after, len(expected))
    assert [moment.isoformat(timespec="minutes") for moment in times] == expected
    assert all(moment.tzinfo is ZoneInfo(zone) for moment in times)


ZONES = (
    "America/Chicago",
    "Europe/Berlin",
    "Africa/Cairo",
    "America/Havana",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
)


@pytest.mark.parametrize("zone", ZONES)
def test_c14_c15_a_daily_job_runs_once_on_each_of_800_local_days(zone: str) -> None:
    start = datetime(2026, 9, 1, tzinfo=ZoneInfo(zone)) - timedelta(seconds=1)
    for text in ("0 0 * * *", "30 1 * * *", "15 2 * * *", "30 2 * * *", "0 3 * * *"):
        days = [moment.date() for moment in fire_times(accepted(text), zone, start, 800)]
        assert days == [datetime(2026, 9, 1).date() + timedelta(days=n) for n in range(800)]


def assert_as_on_the_server(text: str, zone: str, after: datetime, count: int) -> None:
    """Compared in UTC: a time that occurs twice is never equal to one of another zone object (PEP 495)."""
    cron = accepted(text)
    times = [moment.astimezone(UTC) for moment in fire_times(cron, zone, after, count)]
    assert times == [moment.astimezone(UTC) for moment in on_the_server(cron, zone, after, count)]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("text", ["45 7 * * *", "30 1 * * *", "0 8 * * MON-FRI", "0 12 1,15 * *"])
def test_c16_a_years_times_are_the_servers(text: str, zone: str) -> None:
    assert_as_on_the_server(text, zone, utc(2026, 9, 20, 0, 0, 30), 300)


BEFORE_CHANGES = [utc(2026, 10, 24, 12), utc(2026, 10, 31), utc(2027, 3, 13), utc(2027, 3, 27, 12)]


@pytest.mark.parametrize("zone", ["America/Chicago", "Europe/Berlin", "Africa/Cairo", "America/Havana"])
@pytest.mark.parametrize("after", BEFORE_CHANGES, ids=lambda moment: f"{moment:%Y-%m-%d}")
@pytest.mark.parametrize("text", ["0 * * * *", "*/15 * * * *"])
def test_c16_the_times_of_frequent_jobs_around_a_change_are_the_servers(text: str, after: datetime, zone: str) -> None:
    assert_as_on_the_server(text, zone, after, 150)
