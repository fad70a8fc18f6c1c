"""The days that a schedule is looked at for, hour by hour: a day has 23 or 25 of them where clocks change."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from flowmill.planning.plan import Plan
from flowmill.timetable.load import Fire, Load, fires, hour_of, load_by_server_and_hour, next_fires

_STEP = timedelta(minutes=15)
"""No clock has ever been set to anything between."""

Row = tuple[str, str]
"""A flow in an environment."""


@dataclass(frozen=True)
class Day:
    """One day on the clocks of a zone.

    Attributes:
        hours: what clocks show at the beginning of each hour, by that beginning in UTC.
    """

    date: date
    start: datetime
    end: datetime
    hours: Mapping[datetime, int]

    @property
    def length(self) -> timedelta:
        return self.end - self.start

    def at(self, hour: int) -> list[datetime]:
        """When the hour begins: once, twice where clocks go back, never where they skip it."""
        return [start for start, shown in self.hours.items() if shown == hour]


@dataclass(frozen=True)
class Calendar:
    """All that is told about when flows run.

    Attributes:
        plans: the flows that are looked at, in their environments.
        zone: on whose clocks days and hours begin.
        start: the moment from which on runs count.
        days: the first holds `start`; empty where none were asked for.
        upcoming: the next runs of all flows together.
        found: every run of the days.
    """

    plans: tuple[Plan, ...]
    zone: ZoneInfo
    start: datetime
    days: tuple[Day, ...]
    upcoming: tuple[Fire, ...]
    found: tuple[Fire, ...]

    @cached_property
    def load(self) -> Load:
        return load_by_server_and_hour(self.found, self.zone.key)

    @cached_property
    def by_day(self) -> Mapping[tuple[Row, date], list[Fire]]:
        """The runs of a flow on a day."""
        found: defaultdict[tuple[Row, date], list[Fire]] = defaultdict(list)
        for fire in self.found:
            found[(fire.flow, fire.environment), self.local(fire.moment).date()].append(fire)
        return found

    @cached_property
    def by_hour(self) -> Mapping[tuple[str, datetime], list[Fire]]:
        """The runs that start on a server in the hour that begins then."""
        found: defaultdict[tuple[str, datetime], list[Fire]] = defaultdict(list)
        for fire in self.found:
            found[fire.server, hour_of(fire.moment, self.zone)].append(fire)
        return found

    @property
    def highest(self) -> int:
        """How many runs the busiest hour of a server has."""
        return max((count for hours in self.load.values() for count in hours.values()), default=0)

    def per_day(self) -> Counter[date]:
        """How many runs each day has."""
        return Counter(self.local(fire.moment).date() for fire in self.found)

    def local(self, moment: datetime) -> datetime:
        return moment.astimezone(self.zone)


def calendar(plans: Sequence[Plan], zone: ZoneInfo, start: datetime, *, following: int, days: int) -> Calendar:
    """What happens from a moment on.

    Args:
        following: how many of the next runs are told.
        days: how many days are looked at, the one that holds `start` among them.
    """
    its_days = days_from(start, days, zone)
    upcoming = next_fires(plans, start, following) if following else []
    found = fires(plans, start, its_days[-1].end) if its_days else []
    return Calendar(tuple(plans), zone, start, tuple(its_days), tuple(upcoming), tuple(found))


def days_from(start: datetime, count: int, zone: ZoneInfo) -> list[Day]:
    """The day on which a moment lies in a zone, and those after it."""
    first = start.astimezone(zone).date()
    return [_day(first + timedelta(days=number), zone) for number in range(count)]


def _day(its_date: date, zone: ZoneInfo) -> Day:
    start, end = (_midnight(its_date + timedelta(days=number), zone) for number in (0, 1))
    hours: dict[datetime, int] = {}
    moment = start
    while moment < end:
        hours.setdefault(hour_of(moment, zone), moment.astimezone(zone).hour)
        moment += _STEP
    return Day(its_date, start, end, hours)


def _midnight(its_date: date, zone: ZoneInfo) -> datetime:
    """When a day begins; where clocks skip midnight that is when they do."""
    return datetime.combine(its_date, time(), zone).astimezone(UTC)
