"""When many flows fire, and how many of these runs start on a server in an hour.

Moments are in UTC: within a zone, Python takes the two 02:30 of a day with 25 hours for one.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from flowmill.planning.plan import Plan, SchedulePlan
from flowmill.times.cron import of_plan
from flowmill.times.fire_times import fire_times

HOUR = timedelta(hours=1)
_BIT = timedelta(microseconds=1)
_EACH_MINUTE = timedelta(minutes=1)
_YEARS_AT_MOST = 12
"""29 February comes after eight years at the latest; what is not due until then never is."""

Load = dict[str, Counter[datetime]]
"""By server and start of the hour in UTC, how many runs start."""


@dataclass(frozen=True, order=True)
class Fire:
    """One run that a schedule starts.

    Attributes:
        moment: when, in UTC.
        flow: `<project>.<flow>`.
        schedule: the id of the schedule in its flow.
        zone: the time zone of the schedule.
    """

    moment: datetime
    server: str
    flow: str
    environment: str
    schedule: str
    zone: str

    @property
    def local(self) -> datetime:
        """When, on the clocks of the schedule's zone."""
        return self.moment.astimezone(ZoneInfo(self.zone))


def fires(plans: Iterable[Plan], start: datetime, end: datetime) -> list[Fire]:
    """Every run from `start` on and before `end`, in order; schedules that are paused start none."""
    first, last = start.astimezone(UTC), end.astimezone(UTC)
    found = (
        _fire(plan, schedule, moment)
        for plan, schedule in running(plans)
        for moment in _moments(schedule.cron, schedule.timezone, first, last)
    )
    return sorted(found)


def next_fires(plans: Iterable[Plan], start: datetime, count: int) -> list[Fire]:
    """The first `count` runs of all these flows together, from `start` on, in order."""
    first = start.astimezone(UTC)
    found = (
        _fire(plan, schedule, moment)
        for plan, schedule in running(plans)
        for moment in _next(schedule.cron, schedule.timezone, first, count)
    )
    return sorted(found)[:count]


def running(plans: Iterable[Plan]) -> Iterator[tuple[Plan, SchedulePlan]]:
    """The schedules that are not paused."""
    return ((plan, schedule) for plan in plans for schedule in plan.schedules if not schedule.paused)


def paused(plans: Iterable[Plan]) -> Iterator[tuple[Plan, SchedulePlan]]:
    """The schedules that start nothing until somebody switches them on."""
    return ((plan, schedule) for plan in plans for schedule in plan.schedules if schedule.paused)


def load_by_server_and_hour(found: Iterable[Fire], zone: str = "UTC") -> Load:
    """How many runs start on each server in each hour that has any.

    Args:
        zone: on whose clocks hours begin; it matters where they differ from UTC by half an hour.
    """
    clock = ZoneInfo(zone)
    load: defaultdict[str, Counter[datetime]] = defaultdict(Counter)
    for fire in found:
        load[fire.server][hour_of(fire.moment, clock)] += 1
    return dict(load)


def hour_of(moment: datetime, clock: ZoneInfo) -> datetime:
    """When the hour began that a moment lies in on these clocks, in UTC."""
    local = moment.astimezone(clock)
    past = timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    return moment.astimezone(UTC) - past


def _fire(plan: Plan, schedule: SchedulePlan, moment: datetime) -> Fire:
    return Fire(moment, plan.server, plan.name, plan.environment, schedule.id, schedule.timezone)


@lru_cache(maxsize=1024)
def _moments(cron: str, zone: str, start: datetime, end: datetime) -> tuple[datetime, ...]:
    """Kept, since many flows fire alike."""
    most = max((end - start) // _EACH_MINUTE, 0) + 1
    return _in_utc(fire_times(of_plan(cron), zone, start - _BIT, most, before=end))


@lru_cache(maxsize=1024)
def _next(cron: str, zone: str, start: datetime, count: int) -> tuple[datetime, ...]:
    limit = start + timedelta(days=366 * _YEARS_AT_MOST)
    return _in_utc(fire_times(of_plan(cron), zone, start - _BIT, count, before=limit))


def _in_utc(moments: Iterable[datetime]) -> tuple[datetime, ...]:
    return tuple(moment.astimezone(UTC) for moment in moments)
