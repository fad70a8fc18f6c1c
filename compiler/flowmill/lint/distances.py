"""How far apart the runs of schedules are, on a clock that is never changed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import groupby, pairwise
from zoneinfo import ZoneInfo

from flowmill.planning.plan import Plan, SchedulePlan
from flowmill.times.cron import Values, falls_on, of_plan

_DAYS_LOOKED_AT = 2 * 366
"""In which even what runs once a year runs twice."""
_A_YEAR = 366

_Spelt = tuple[str, str]
"""The cron and the zone of a schedule."""


@dataclass(frozen=True)
class Distance:
    """Two runs, one right after the other.

    Attributes:
        minutes: between them.
        first, second: when they start, on the clock of the schedules' zone; in UTC where they have several.
        is_utc: whether that is so.
        first_schedule, second_schedule: whose runs they are, by their places in the plan.
    """

    minutes: int
    first: datetime
    second: datetime
    is_utc: bool
    first_schedule: int
    second_schedule: int

    @property
    def times(self) -> str:
        """The two times in words, with their days where these differ."""
        form = "%H:%M" if self.first.date() == self.second.date() else "%Y-%m-%d %H:%M"
        return f"{self.first:{form}} and {self.second:{form}}{' UTC' if self.is_utc else ''}"


def shortest_distance(plan: Plan, today: date) -> Distance | None:
    """The shortest time between two runs that do the same; None where no such runs follow each other.

    Schedules with different parameters do different work, which may well follow at once; what is switched off
    does not run.
    """
    indices = sorted(
        (index for index, it in enumerate(plan.schedules) if not it.paused), key=lambda it: _work(plan, it)
    )
    found = [
        distance
        for _, group in groupby(indices, key=lambda it: _work(plan, it))
        if (distance := _shortest(plan.schedules, tuple(group), today))
    ]
    return min(found, key=lambda it: it.minutes, default=None)


@lru_cache(maxsize=1024)
def days_of(days: Values, months: Values, weekdays: Values, first: date, count: int) -> tuple[date, ...]:
    """Those of a stretch of days that fit the three day fields of a cron expression."""
    stretch = (first + timedelta(days=number) for number in range(count))
    return tuple(it for it in stretch if falls_on(it, days, months, weekdays))


def _work(plan: Plan, index: int) -> str:
    return repr(sorted(plan.schedules[index].parameters.items(), key=lambda pair: pair[0]))


def _shortest(schedules: Sequence[SchedulePlan], indices: tuple[int, ...], today: date) -> Distance | None:
    spelt = tuple((schedules[index].cron, schedules[index].timezone) for index in indices)
    found = _of_one(spelt[0][0], today) if len(spelt) == 1 else _of_several(spelt, today)
    if found is None:
        return None
    minutes, first, second, is_utc, one, other = found
    return Distance(minutes, first, second, is_utc, indices[one], indices[other])


_Found = tuple[int, datetime, datetime, bool, int, int]


@lru_cache(maxsize=4096)
def _of_one(cron: str, today: date) -> _Found | None:
    parsed = of_plan(cron)
    times = parsed.minutes_of_day
    days = days_of(parsed.days, parsed.months, parsed.weekdays, today, _DAYS_LOOKED_AT)
    pairs = [(_moment(days[0], one), _moment(days[0], other)) for one, other in pairwise(times)] if days else []
    if len(days) > 1:
        nearest = min(pairwise(days), key=lambda pair: pair[1] - pair[0])
        pairs.append((_moment(nearest[0], times[-1]), _moment(nearest[1], times[0])))
    best = min(pairs, key=lambda pair: pair[1] - pair[0], default=None)
    return (_minutes(*best), *best, False, 0, 0) if best else None


@lru_cache(maxsize=256)
def _of_several(spelt: tuple[_Spelt, ...], today: date) -> _Found | None:
    is_utc = len({zone for _, zone in spelt}) > 1
    moments = sorted((moment, index) for index, it in enumerate(spelt) for moment in _moments(*it, today, is_utc))
    # Of two at the same minute, nobody could say which of them comes too early.
    apart = [(one, other) for one, other in pairwise(moments) if one[0] != other[0]]
    best = min(apart, key=lambda pair: pair[1][0] - pair[0][0], default=None)
    if best is None:
        return None
    (first, one), (second, other) = best
    return _minutes(first, second), first, second, is_utc, one, other


def _moments(cron: str, zone: str, today: date, is_utc: bool) -> Iterator[datetime]:
    parsed, local_zone = of_plan(cron), ZoneInfo(zone)
    times = parsed.minutes_of_day
    for day in days_of(parsed.days, parsed.months, parsed.weekdays, today, _A_YEAR):
        for minutes in times:
            wall = _moment(day, minutes)
            yield wall.replace(tzinfo=local_zone).astimezone(UTC).replace(tzinfo=None) if is_utc else wall


def _moment(day: date, minutes: int) -> datetime:
    return datetime(day.year, day.month, day.day, *divmod(minutes, 60))


def _minutes(first: datetime, second: datetime) -> int:
    return (second - first) // timedelta(minutes=1)
