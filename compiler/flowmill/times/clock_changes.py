"""When the clocks of a time zone change, and which times of a cron expression that concerns."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from flowmill.times.cron import Cron

_DAY, _MINUTE, _SECOND = timedelta(days=1), timedelta(minutes=1), timedelta(seconds=1)


@dataclass(frozen=True)
class ClockChange:
    """The moment at which a zone's clocks are set forward or back.

    Attributes:
        at: the first instant with the new offset, in UTC.
        before: the offset from UTC until then.
        after: the offset from then on.
    """

    at: datetime
    before: timedelta
    after: timedelta

    @property
    def is_gap(self) -> bool:
        """Whether local times are skipped; otherwise some come twice."""
        return self.after > self.before

    @property
    def first(self) -> datetime:
        """The first local time, naive, that is skipped or comes twice."""
        return self.at.replace(tzinfo=None) + min(self.before, self.after)

    @property
    def end(self) -> datetime:
        """The first local time, naive, after `first` that comes once."""
        return self.at.replace(tzinfo=None) + max(self.before, self.after)


@dataclass(frozen=True)
class ConcernedTime:
    """A time of an expression that its zone skips or has twice, as the expression means it: local and naive."""

    wall: datetime
    change: ClockChange

    @property
    def fires(self) -> datetime:
        """When that is, in UTC, by the rule of `fire_times`: after the gap, or the first of two occurrences."""
        return (self.wall - self.change.before).replace(tzinfo=UTC)

    @property
    def otherwise(self) -> datetime:
        """When another reader of cron fires, in UTC: before the gap, or the second of two occurrences."""
        return (self.wall - self.change.after).replace(tzinfo=UTC)


@cache
def clock_changes(zone: str, start: datetime, end: datetime) -> tuple[ClockChange, ...]:
    """The changes of a zone that exists, later than `start` and not later than `end`, in order."""
    local_zone = ZoneInfo(zone)
    first, last = (moment.astimezone(UTC).replace(microsecond=0) for moment in (start, end))
    instants = [*(first + day * _DAY for day in range((last - first) // _DAY + 1)), last]
    offsets = [_offset(instant, local_zone) for instant in instants]
    steps = zip(instants, instants[1:], offsets, offsets[1:], strict=False)
    return tuple(_change(low, high, local_zone) for low, high, before, after in steps if before != after)


def concerned_times(cron: Cron, zone: str, start: datetime, end: datetime) -> Iterator[ConcernedTime]:
    """The times of an expression that a change of the zone's clocks skips or brings twice, in order.

    Only about these can two programs disagree that read the expression alike.
    """
    for change in clock_changes(zone, start, end):
        for wall in _minutes(change.first, change.end):
            if cron.is_at(wall):
                yield ConcernedTime(wall, change)


def _offset(instant: datetime, zone: ZoneInfo) -> timedelta:
    offset = instant.astimezone(zone).utcoffset()
    assert offset is not None
    return offset


def _change(low: datetime, high: datetime, zone: ZoneInfo) -> ClockChange:
    """The change between two instants of different offsets, to the second."""
    before = _offset(low, zone)
    while high - low > _SECOND:
        middle = low + (high - low) // (2 * _SECOND) * _SECOND
        low, high = (middle, high) if _offset(middle, zone) == before else (low, middle)
    return ClockChange(high, before, _offset(high, zone))


def _minutes(first: datetime, end: datetime) -> Iterator[datetime]:
    """Each full minute from `first` on, before `end`."""
    minute = first.replace(second=0, microsecond=0)
    while minute < end:
        if minute >= first:
            yield minute
        minute += _MINUTE
