"""What a change means for when a flow runs: the next times, and how often in a week."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from flowmill.times.cron import of_plan
from flowmill.times.fire_times import fire_times

SHOWN = 3
"""How many of the next times are told."""
WEEK = timedelta(days=7)
_MOST_IN_A_WEEK = 7 * 24 * 60


@dataclass(frozen=True)
class Effect:
    """When a deployment runs.

    Attributes:
        next_times: the next ones, in UTC or in the zone of their schedule.
        per_week: how many in the seven days from then on.
    """

    next_times: tuple[datetime, ...]
    per_week: int


def effect_of(view: Mapping[str, Any], now: datetime) -> Effect:
    """When a deployment with this view runs from `now` on; schedules of other tools than cron are not counted."""
    if view["paused"]:
        return Effect((), 0)
    found: list[datetime] = []
    for schedule in view["schedules"].values():
        if schedule["active"] and (times := _week(schedule, now)):
            found += times
    found.sort()
    return Effect(tuple(found[:SHOWN]), sum(moment < now + WEEK for moment in found))


def times_until(view: Mapping[str, Any], now: datetime, until: datetime) -> list[datetime]:
    """The next times, a few of each schedule, that lie before another moment; cheap, unlike a week of them."""
    schedules = [] if view["paused"] else [it for it in view["schedules"].values() if it["active"] and "cron" in it]
    return [time for it in schedules for time in _few(it, now) if time <= until]


def _few(schedule: Mapping[str, Any], now: datetime) -> list[datetime]:
    try:
        return fire_times(of_plan(schedule["cron"]), schedule.get("timezone") or "UTC", now, SHOWN)
    except ValueError:  # somebody has put something else there by hand
        return []


def _week(schedule: Mapping[str, Any], now: datetime) -> tuple[datetime, ...]:
    """The times of one schedule in the next week, or else its very next ones."""
    if "cron" not in schedule:
        return ()
    try:
        return _week_of(schedule["cron"], schedule.get("timezone") or "UTC", now)
    except ValueError:  # somebody has put something else there by hand
        return ()


@lru_cache(maxsize=256)
def _week_of(expression: str, zone: str, now: datetime) -> tuple[datetime, ...]:
    """Kept, for many flows fire alike; a week of a job of every minute takes a third of a second."""
    cron = of_plan(expression)
    few = fire_times(cron, zone, now, SHOWN)
    if not few or few[-1] >= now + WEEK:
        return tuple(few)
    return tuple(fire_times(cron, zone, now, _MOST_IN_A_WEEK, before=now + WEEK))
