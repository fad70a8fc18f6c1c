"""Times and lengths of time: steps on the calendar, exact hours, moments that compare as such."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import assume, given
from hypothesis import strategies as st

from flowmill.expressions.language import ExpressionError, Parsed, parse
from flowmill.expressions.time_filters import floor
from flowmill.expressions.times import LENGTHS, Span, Time, calculated

CHICAGO = ZoneInfo("America/Chicago")
ZONES = ("UTC", "America/Chicago", "Europe/Berlin", "Africa/Cairo", "Australia/Lord_Howe", "Asia/Kathmandu")
ZONES_WITH_ODD_CHANGES = (*ZONES, "America/St_Johns", "America/Havana", "Pacific/Apia", "Antarctica/Troll")
UNITS = ("minute", "hour", "day", "week", "month", "quarter", "year")


def evaluate(source: str, **scope: Any) -> Any:
    parsed = parse(source)
    assert isinstance(parsed, Parsed), parsed
    return parsed.evaluate(scope)


def at(text: str, zone: str = "America/Chicago", fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


@pytest.mark.parametrize(
    ("start", "source", "result"),
    [
        pytest.param("2026-03-31T08:00", "t - months(1)", "2026-02-28T08:00:00-06:00", id="i-the-month-is-shorter"),
        pytest.param("2024-03-31T08:00", "t - months(1)", "2024-02-29T08:00:00-06:00", id="a leap year"),
        pytest.param("2026-03-15T08:00", "t - months(1)", "2026-02-15T08:00:00-06:00", id="the day exists"),
        pytest.param("2024-02-29T08:00", "t + years(1)", "2025-02-28T08:00:00-06:00", id="a leap day, a year later"),
        pytest.param("2026-01-15T08:00", "t - months(1)", "2025-12-15T08:00:00-06:00", id="over the year"),
        pytest.param("2026-01-30T08:00", "t + (days(1) + months(1))", "2026-03-01T08:00:00-06:00", id="months first"),
        pytest.param("2026-03-08T03:30", "t - days(1)", "2026-03-07T03:30:00-06:00", id="a day before, by the clock"),
        pytest.param("2026-03-08T03:30", "t - hours(1)", "2026-03-08T01:30:00-06:00", id="an hour before the gap"),
        pytest.param("2026-03-08T03:30", "t - hours(24)", "2026-03-07T02:30:00-06:00", id="24 hours before"),
        pytest.param("2026-03-07T02:30", "t + days(1)", "2026-03-08T03:30:00-05:00", id="02:30 does not exist"),
        pytest.param("2026-02-08T02:30", "t + months(1)", "2026-03-08T03:30:00-05:00", id="nor a month later"),
        pytest.param("2026-10-31T01:30", "t + days(1)", "2026-11-01T01:30:00-05:00", id="01:30 comes twice: the first"),
        pytest.param("2026-10-31T12:00", "t + days(1)", "2026-11-01T12:00:00-06:00", id="a day in November"),
        pytest.param("2026-10-31T12:00", "t + hours(24)", "2026-11-01T11:00:00-06:00", id="24 hours in November"),
        pytest.param("2026-11-01T00:30", "hours(2) + t", "2026-11-01T01:30:00-06:00", id="into the second 01:30"),
        pytest.param("2026-03-08T03:30", "t + days(0)", "2026-03-08T03:30:00-05:00", id="nothing added"),
        pytest.param("2026-06-01T00:00", "t + days(1.5)", "2026-06-02T12:00:00-05:00", id="half a day is 12 hours"),
        pytest.param("2026-06-01T00:00", "t - weeks(2)", "2026-05-18T00:00:00-05:00", id="weeks"),
    ],
)
def test_a_time_moved_by_a_length(start: str, source: str, result: str) -> None:
    assert str(evaluate(source, t=at(start))) == result


def test_nothing_added_keeps_the_second_of_two_like_hours() -> None:
    second = at("2026-11-01T01:30", fold=1)
    assert str(evaluate("t + days(0)", t=second)) == "2026-11-01T01:30:00-06:00"


@pytest.mark.parametrize(
    ("source", "result"),
    [
        pytest.param("hours(36)", "PT36H", id="hours are not days"),
        pytest.param("years(1) + months(2)", "P1Y2M", id="years are months"),
        pytest.param("weeks(2)", "P14D", id="weeks are days"),
        pytest.param("days(1) + minutes(90) + seconds(1.5)", "P1DT1H30M1.5S", id="all of it"),
        pytest.param("-days(1)", "-P1D", id="negative"),
        pytest.param("-(days(1) + hours(1))", "-P1DT1H", id="all negative"),
        pytest.param("months(1) - days(1)", "P1M-1D", id="of two signs"),
        pytest.param("days(0)", "PT0S", id="nothing"),
        pytest.param("days(1) * 2.5", "P2DT12H", id="times a number"),
        pytest.param("3 * months(2)", "P6M", id="a number of months"),
        pytest.param("days(1) / 2", "PT12H", id="half of it"),
        pytest.param("days(1) % hours(5)", "PT4H", id="what is left"),
        pytest.param("(hours(3) - hours(1)) / minutes(1)", "120.0", id="in minutes"),
        pytest.param("days(2) // hours(5)", "9", id="how often it fits"),
        pytest.param("hours(24) == days(1)", "True", id="a day has 24 hours when compared"),
        pytest.param("hours(23) < days(1)", "True", id="shorter"),
        pytest.param("months(2) > months(1)", "True", id="months with months"),
        pytest.param("months(1) + days(1) >= months(1)", "True", id="no doubt about the longer"),
        pytest.param("years(1) == months(12)", "True", id="a year is twelve months"),
        pytest.param("days(1) == 1", "False", id="no number"),
    ],
)
def test_lengths(source: str, result: str) -> None:
    assert str(evaluate(source)) == result


@pytest.mark.parametrize(
    ("source", "message"),
    [
        pytest.param("months(n / 2)", "`months` takes a whole number", id="half a month"),
        pytest.param("years(n / 2)", "`years` takes a whole number", id="half a year"),
        pytest.param("months(1) / 2", "months cannot be divided", id="a month divided"),
        pytest.param("months(1) * 0.5", "months cannot be divided", id="a month times a part"),
        pytest.param("months(1) < days(30)", "cannot be compared", id="months with days"),
        pytest.param("months(1) == days(30)", "cannot be compared", id="months and days alike"),
        pytest.param("months(1) / days(30)", "cannot be divided", id="months by days"),
        pytest.param("days(1) < 5", "only be compared with another", id="a length with a number"),
        pytest.param("days(text)", "`days` takes a number", id="a text"),
        pytest.param("days(true == true)", "`days` takes a number", id="a boolean"),
        pytest.param("seconds(huge)", "10,000 years", id="huge"),
        pytest.param("years(huge * huge)", "10,000 years", id="huge months"),
        pytest.param("days(1) * huge * 1.5", "10,000 years", id="huge by multiplication"),
        pytest.param("seconds(infinite - infinite)", "10,000 years", id="not a number"),
        pytest.param("t + years(9000)", "outside of the years 1 to 9999", id="too late"),
        pytest.param("t - days(1000000)", "outside of the years 1 to 9999", id="too early"),
        pytest.param("t - hours(24) * 1000000", "outside of the years 1 to 9999", id="too early by hours"),
        pytest.param("t + 1", "`+` does not work on a time and a number", id="a number of what"),
        pytest.param("t + t", "`+` does not work on a time and a time", id="a time and a time"),
        pytest.param("days(1) - t", "`-` does not work on a length of time and a time", id="the wrong way round"),
        pytest.param("t < '2026-01-01'", "only be compared with a time", id="a time with a text"),
        pytest.param("huge * huge * huge * huge * huge", "more than a thousand digits", id="i04-digits"),
        pytest.param("t + '1'", "works on numbers and times", id="a time and a text"),
    ],
)
def test_refused_in_words(source: str, message: str) -> None:
    scope = {"t": at("2026-06-01T00:00"), "n": 3, "text": "3", "huge": 10**300, "infinite": float("inf")}
    with pytest.raises(ExpressionError) as refused:
        evaluate(source, **scope)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("source", "result"),
    [
        pytest.param("(second - first)", "PT1H", id="the difference is exact"),
        pytest.param("first < second", "True", id="the first of two like hours"),
        pytest.param("first == second", "False", id="are not equal"),
        pytest.param("first != second", "True", id="are different"),
        pytest.param("first >= second", "False", id="nor later"),
        pytest.param("first == (first | in_zone('UTC'))", "True", id="one moment on two clocks"),
        pytest.param("[first | in_zone('UTC'), first] | unique | length", "1", id="is one moment"),
        pytest.param("[second, first] | min == first", "True", id="the earliest"),
        pytest.param("first == 'x'", "False", id="a text is no time"),
        pytest.param("second | in_zone('UTC')", "2026-11-01T07:30:00+00:00", id="from the second hour"),
    ],
)
def test_times_are_moments(source: str, result: str) -> None:
    first, second = at("2026-11-01T01:30"), at("2026-11-01T01:30", fold=1)
    assert str(evaluate(source, first=first, second=second)) == result


@pytest.mark.parametrize(
    ("time", "unit", "start"),
    [
        pytest.param(at("2026-05-20T10:17:42"), "minute", "2026-05-20T10:17:00-05:00", id="minute"),
        pytest.param(at("2026-05-20T10:17:42"), "hour", "2026-05-20T10:00:00-05:00", id="hour"),
        pytest.param(at("2026-05-20T10:17:42"), "day", "2026-05-20T00:00:00-05:00", id="day"),
        pytest.param(at("2026-05-20T10:17:42"), "week", "2026-05-18T00:00:00-05:00", id="week"),
        pytest.param(at("2026-05-24T23:59:59"), "week", "2026-05-18T00:00:00-05:00", id="Sunday ends the week"),
        pytest.param(at("2026-05-20T10:17:42"), "month", "2026-05-01T00:00:00-05:00", id="month"),
        pytest.param(at("2026-05-20T10:17:42"), "quarter", "2026-04-01T00:00:00-05:00", id="quarter"),
        pytest.param(at("2026-05-20T10:17:42"), "year", "2026-01-01T00:00:00-06:00", id="year, in its own offset"),
        pytest.param(at("2026-05-18T00:00:00"), "week", "2026-05-18T00:00:00-05:00", id="the start itself"),
        pytest.param(at("2026-11-01T01:30", fold=1), "hour", "2026-11-01T01:00:00-06:00", id="second of two hours"),
        pytest.param(at("2026-11-01T01:30", fold=1), "day", "2026-11-01T00:00:00-05:00", id="day of 25 hours"),
        pytest.param(at("2027-04-30T09:00", "Africa/Cairo"), "day", "2027-04-30T01:00:00+03:00", id="no midnight"),
        pytest.param(at("2026-11-01T00:30", "America/Havana", 1), "day", "2026-11-01T00:00:00-04:00", id="two starts"),
        pytest.param(
            at("2007-03-11T01:30", "America/St_Johns"), "hour", "2007-03-11T01:30:00-02:30", id="a gap across an hour"
        ),
    ],
)
def test_floor(time: datetime, unit: str, start: str) -> None:
    assert str(floor(time, unit)) == start


@pytest.mark.parametrize(
    ("source", "result"),
    [
        pytest.param("'2026-01-31' | time", "2026-01-31T00:00:00+00:00", id="a date"),
        pytest.param("'2026-01-31T10:00' | time('Europe/Berlin')", "2026-01-31T10:00:00+01:00", id="in a zone"),
        pytest.param("'2026-01-31T10:00+05:30' | time('Europe/Berlin')", "2026-01-31T10:00:00+05:30", id="an offset"),
        pytest.param("'2026-01-31T10:00:05Z' | time", "2026-01-31T10:00:05+00:00", id="Z"),
        pytest.param("'2026-01-31 10:00:05.123456789' | time", "2026-01-31T10:00:05+00:00", id="nanoseconds"),
        pytest.param("' 2026-01-31\n' | time", "2026-01-31T00:00:00+00:00", id="blanks around it"),
        pytest.param("'2026-03-08T02:30' | time('America/Chicago')", "2026-03-08T03:30:00-05:00", id="in the gap"),
        pytest.param("t | time", "2026-06-01T00:00:00-05:00", id="a time stays as it is"),
        pytest.param("t.weekday", "1", id="Monday is 1"),
        pytest.param("(t - days(1)).weekday", "7", id="Sunday is 7"),
        pytest.param("t ~ ' ' ~ days(2)", "2026-06-01T00:00:00-05:00 P2D", id="joined with ~"),
        pytest.param(
            "{'at': t, 'for': [hours(1)]} | json", '{"at": "2026-06-01T00:00:00-05:00", "for": ["PT1H"]}', id="json"
        ),
    ],
)
def test_time_filters(source: str, result: str) -> None:
    assert str(evaluate(source, t=at("2026-06-01T00:00"))) == result


@pytest.mark.parametrize(
    ("source", "message"),
    [
        pytest.param("text | date", "use `\\| time` to read a text as a time", id="date of a text"),
        pytest.param("t | floor(text)", "knows no such unit, only minute, hour, day", id="unit"),
        pytest.param("t | in_zone(text)", "no such time zone", id="zone"),
        pytest.param("t | in_zone('/etc/passwd' ~ '')", "no such time zone", id="a path as a zone"),
        pytest.param("t | in_zone(3 + 4)", "takes a text", id="a number as a zone"),
        pytest.param("text | time", "is not a time such as", id="not a time"),
        pytest.param("'2026-02-30' | time", "is not a time such as", id="a day that does not exist"),
        pytest.param("'20260131' | time", "is not a time such as", id="another form of ISO 8601"),
        pytest.param("'٢٠٢٦-01-31' | time", "is not a time such as", id="other digits"),
        pytest.param("'2026-01-31T10:00+99:00' | time", "is not a time such as", id="an offset that does not exist"),
        pytest.param("'0001-01-01T00:00+05:00' | time", "outside of the years", id="before the first year"),
        pytest.param("t | date(text)", "knows no code `%Q`", id="a code that there is not"),
        pytest.param("gone | date", "has no value", id="no value"),
    ],
)
def test_time_filters_refuse_in_words_and_quote_no_value(source: str, message: str) -> None:
    with pytest.raises(ExpressionError, match=message) as failed:
        evaluate(source, t=at("2026-06-01T00:00"), text="hidden %Q")
    assert "hidden" not in str(failed.value)


walls = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1))
zones = st.sampled_from(ZONES).map(ZoneInfo)
times = st.builds(lambda wall, zone: Time.of(wall.replace(tzinfo=zone)), walls, zones)
odd_times = st.builds(
    lambda wall, zone, fold: Time.of(wall.replace(tzinfo=ZoneInfo(zone), fold=fold)),
    walls,
    st.sampled_from(ZONES_WITH_ODD_CHANGES),
    st.integers(0, 1),
)
counts = st.integers(-2000, 2000)


def exists_once(wall: datetime, time: Time) -> bool:
    first, second = (wall.replace(tzinfo=time.tzinfo, fold=fold).utcoffset() for fold in (0, 1))
    return first == second


@given(times, counts)
def test_days_there_and_back(time: Time, count: int) -> None:
    there = time.wall + timedelta(days=count)
    assume(exists_once(there, time) and exists_once(time.wall, time))
    moved = calculated("+", time, LENGTHS["days"](count))
    assert moved.wall == there
    assert calculated("-", moved, LENGTHS["days"](count)) == time


@given(times, st.integers(-1200, 1200), counts)
def test_the_calendar_agrees_with_dateutil(time: Time, months: int, days: int) -> None:
    assume(1 < time.year + months / 12 < 9990)
    expected = time.wall + relativedelta(months=months) + timedelta(days=days)
    assume(exists_once(expected, time) and (months or days))
    assert calculated("+", time, Span(months=months, days=days)).wall == expected


@given(odd_times, st.integers(-(10**9), 10**9))
def test_seconds_are_exact(time: Time, count: int) -> None:
    moved = calculated("+", time, LENGTHS["seconds"](count))
    assert moved.instant - time.instant == timedelta(seconds=count)
    assert calculated("-", moved, time) == LENGTHS["seconds"](count)
    assert (moved > time) == (count > 0)


@given(odd_times, st.sampled_from(UNITS))
def test_floor_is_the_start_of_what_the_time_lies_in(time: Time, unit: str) -> None:
    start = floor(time, unit)
    assert start <= time
    assert floor(start, unit) == start


@given(odd_times)
def test_a_time_exists_on_its_clock(time: Time) -> None:
    assert time.instant.astimezone(time.tzinfo).replace(tzinfo=None) == time.wall
    assert Time.of(datetime.fromisoformat(time.isoformat())) == time


@given(st.integers(-10000, 10000), st.integers(-(10**5), 10**5), st.integers(-(10**12), 10**12))
def test_a_length_is_read_by_others_as_it_is_meant(months: int, days: int, microseconds: int) -> None:
    one = Span(months, days, microseconds)
    assert one + -one == Span()
    assert one - one == one * 0
    assert str(one * -1) == str(-one)
    assert str(one).lstrip("-").startswith("P")


def test_a_time_of_python_without_a_zone_is_in_utc() -> None:
    assert Time.of(datetime(2026, 1, 1)) == datetime(2026, 1, 1, tzinfo=UTC)
