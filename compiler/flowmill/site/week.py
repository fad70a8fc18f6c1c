"""The load of a server: how many runs start in each hour of a week."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flowmill.planning.plan import Plan
from flowmill.timetable.load import Load, fires, load_by_server_and_hour

DAYS = 7
LEVELS = 4
"""Shades of hours in which anything starts, from the quietest of them to the busiest."""


@dataclass(frozen=True)
class Hour:
    """How many runs start in one hour of a clock, and how dark that is, from 0 for none."""

    runs: int
    level: int


@dataclass(frozen=True)
class Week:
    """Seven days on the clocks of the workspace; an hour that comes twice counts once, with the runs of both.

    Attributes:
        days: each with its 24 hours.
        most: the number of the busiest hour.
        total: how many runs start in all.
    """

    days: tuple[tuple[date, tuple[Hour, ...]], ...]
    most: int
    total: int


def load_from(plans: Iterable[Plan], start: datetime) -> Load:
    """How many runs start on every server in each hour of the week that begins with the day of `start`."""
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    found = fires(plans, midnight, midnight + timedelta(days=DAYS))
    return load_by_server_and_hour(found, str(start.tzinfo))


def week_of(hours: Counter[datetime], start: datetime) -> Week:
    """The load of one server as a table of days and hours, on the clocks of `start`."""
    runs: Counter[tuple[date, int]] = Counter()
    for moment, count in hours.items():
        local = moment.astimezone(start.tzinfo)
        runs[local.date(), local.hour] += count
    least, most = min(runs.values(), default=0), max(runs.values(), default=0)
    days = (start.date() + timedelta(days=number) for number in range(DAYS))
    table = ((day, [runs[day, hour] for hour in range(24)]) for day in days)
    shaded = tuple((day, tuple(Hour(it, _level(it, least, most)) for it in found)) for day, found in table)
    return Week(shaded, most, sum(runs.values()))


def _level(runs: int, least: int, most: int) -> int:
    if not runs:
        return 0
    return 1 + round((LEVELS - 1) * (runs - least) / max(most - least, 1))
