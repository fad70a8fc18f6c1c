"""The filters for times: reading one, its place on other clocks, the start of its day, week or month."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from typing import Any

from flowmill.expressions.date_format import formatted
from flowmill.expressions.refusal import Refusal, refused, text
from flowmill.expressions.times import Time
from flowmill.suggest import did_you_mean

_ISO = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ](?:[01]\d|2[0-3]):\d\d(?::\d\d(?:\.\d{1,9})?)?(?P<offset>Z|[+-]\d\d:?\d\d)?)?", re.ASCII
)


def date(moment: Any, pattern: str = "%Y-%m-%d") -> str:
    """Format a time with strftime's codes, in English; `%-d` and its like leave the leading zeros out."""
    return formatted(_time(moment, "date"), pattern)


def in_zone(moment: Any, zone: str) -> Time:
    """The same moment on the clocks of another time zone, such as `America/Chicago`."""
    return Time.of(_time(moment, "in_zone").instant.astimezone(zone_named(zone)))


def time(value: Any, zone: str = "UTC") -> Time:
    """A text such as `2026-01-31` or `2026-01-31T10:00+01:00` as a time, in `zone` unless it has an offset."""
    if isinstance(value, datetime):
        return Time.of(value)
    found = _ISO.fullmatch(text(value, "time").strip())
    try:
        moment = datetime.fromisoformat(found[0] if found else "")
    except ValueError:
        raise Refusal("the text is not a time such as `2026-01-31` or `2026-01-31T10:00`") from None
    return Time.of(moment if moment.tzinfo else moment.replace(tzinfo=zone_named(zone, "time")))


def floor(moment: Any, unit: str) -> Time:
    """The start of the minute, hour, day, week (Monday), month, quarter or year that a time lies in, on its clock."""
    at = _time(moment, "floor")
    start = unit_named(unit)(at.wall)
    # An hour that comes twice has two starts; a day has one.
    fold = at.fold if unit in ("minute", "hour") else 0
    # A start that its zone leaves out lies behind the gap, but never behind the time itself.
    return min(at.on_its_clock(start.replace(fold=fold)), at)


def _midnight(wall: datetime) -> datetime:
    return wall.replace(hour=0, minute=0, second=0, microsecond=0)


_STARTS: dict[str, Callable[[datetime], datetime]] = {
    "minute": lambda wall: wall.replace(second=0, microsecond=0),
    "hour": lambda wall: wall.replace(minute=0, second=0, microsecond=0),
    "day": _midnight,
    "week": lambda wall: _midnight(wall) - timedelta(days=wall.weekday()),
    "month": lambda wall: _midnight(wall).replace(day=1),
    "quarter": lambda wall: _midnight(wall).replace(month=(wall.month - 1) // 3 * 3 + 1, day=1),
    "year": lambda wall: _midnight(wall).replace(month=1, day=1),
}


def unit_named(unit: Any) -> Callable[[datetime], datetime]:
    """What `floor` does to the clock for this unit."""
    name = text(unit, "floor")
    if name in _STARTS:
        return _STARTS[name]
    raise Refusal(f"`floor` knows no such unit, only {', '.join(_STARTS)}", _meant(name))


def _meant(unit: str) -> str:
    hint = did_you_mean(unit, _STARTS)
    return hint if hint.startswith("did") else ""


def zone_named(zone: Any, who: str = "in_zone") -> tzinfo:
    """The time zone of that name."""
    from zoneinfo import ZoneInfo

    from flowmill.times.timezones import exists, hint

    name = text(zone, who)
    if not exists(name):
        raise Refusal("there is no such time zone", hint(name))
    return ZoneInfo(name)


def _time(value: Any, who: str) -> Time:
    if isinstance(value, datetime):
        return Time.of(value)
    raise refused(value, f"`{who}` takes a time", "use `| time` to read a text as a time")
