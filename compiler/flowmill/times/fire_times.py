"""When a cron expression fires in a time zone."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from flowmill.times.cron import Cron


def fire_times(cron: Cron, zone: str, after: datetime, count: int, *, before: datetime | None = None) -> list[datetime]:
    """The first `count` times later than `after`, and earlier than `before`, in order, aware and in the zone.

    Where clocks change, a local time means what RFC 5545, section 3.3.5, says. A time that occurs twice means
    its first occurrence: a daily job runs once, an hourly one 24 times in the day of 25 hours. A time that is
    skipped is read with the offset from before the gap: 02:30 becomes 03:30 of the same day. Prefect's server
    agrees, except that 3.8 on a Python before 3.13 runs early what falls into a gap: at 01:30.

    Raises:
        ValueError: the zone is unknown, or `after` has none.
    """
    local_zone = _zone(zone)
    if after.utcoffset() is None:
        raise ValueError("`after` must have a time zone")
    instant = after.astimezone(UTC)
    found: set[datetime] = set()
    for wall in _walls(cron, _wall_before(instant, local_zone)):
        moment = wall.replace(tzinfo=local_zone).astimezone(UTC)
        # A day later is later than anything that clocks can change.
        if _is_complete(found, count, wall) or (before and moment >= before + timedelta(days=1)):
            break
        if moment > instant and (before is None or moment < before):
            found.add(moment.astimezone(local_zone))
    return sorted(found)[: max(count, 0)]


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"unknown time zone `{name}`") from None


def _walls(cron: Cron, after: datetime) -> Iterator[datetime]:
    """The times as a clock on the wall that knows no changes shows them.

    croniter is asked without a zone: with one, its versions differ about the days when clocks change.
    """
    from croniter import croniter

    return croniter(cron.explicit, after, ret_type=datetime).all_next()


def _wall_before(instant: datetime, zone: ZoneInfo) -> datetime:
    """What the wall shows at an instant; soon after a gap, what it would show if there had been none.

    From there on a time in the gap is still found, which is due only after the gap.
    """
    offsets = (moment.astimezone(zone).utcoffset() for moment in (instant, instant - timedelta(days=1)))
    return instant.replace(tzinfo=None) + min(offset for offset in offsets if offset is not None)


def _is_complete(found: set[datetime], count: int, wall: datetime) -> bool:
    """Whether no time from `wall` on can be among the first `count`.

    A time moved out of a gap may come to lie after times that follow it on the wall.
    """
    if len(found) < count:
        return False
    return count < 1 or wall > sorted(found)[count - 1].replace(tzinfo=None)
