"""Late runs of a schedule: which of them are made up for, by `catchup` and `skip_if_late`.

A function of values and nothing else, so that a worker and a test of a flow judge alike. When in doubt about
which schedule has made a run, it is carried out.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flowmill.planning.plan import CatchupPlan, Plan, SchedulePlan
from flowmill.times.cron import of_plan
from flowmill.times.fire_times import fire_times
from flowmill_tasks.duration import in_words

PUNCTUAL = 5 * 60
"""Seconds within which a run still counts as on time under `catchup: none`, unless `skip_if_late` says it."""


def reason_to_skip(plan: Plan, scheduled: datetime, start: datetime, parameters: Mapping[str, Any]) -> str:
    """Why a run that a schedule has made is not carried out, as a message; empty for one that is.

    Args:
        scheduled: when it was due, with a zone.
        start: when it started, with a zone; for a retry of the whole run, when it did so first.
        parameters: the values that it was started with.
    """
    # In UTC: times of one zone are compared as clocks on the wall, which goes wrong where clocks change.
    scheduled, start = scheduled.astimezone(UTC), start.astimezone(UTC)
    schedules = _made_by(plan, scheduled, parameters)
    zone = ZoneInfo(schedules[0].timezone if schedules else plan.timezone)
    late = f"skipped: due at {_clock(scheduled, start, zone)}, started {_length(start - scheduled)} late"
    successor = _successor(schedules, scheduled)
    if plan.catchup.missed != "all" and successor is not None and successor <= start:
        word = plan.catchup.missed
        return f"{late}, and the run of {_clock(successor, start, zone)} is due as well (catchup: {word})"
    allowed, because = _allowed(plan.catchup)
    if allowed is not None and start - scheduled > timedelta(seconds=allowed):
        return f"{late}, which is more than {in_words(allowed)} ({because})"
    return ""


def _made_by(plan: Plan, scheduled: datetime, parameters: Mapping[str, Any]) -> list[SchedulePlan]:
    """The schedules that the run may be of: those that fire at that time and, if several do, give its parameters."""
    firing = [schedule for schedule in plan.schedules if not schedule.paused and _fires_at(schedule, scheduled)]
    if len(firing) < 2:
        return firing
    defaults = {parameter.name: parameter.default for parameter in plan.parameters}
    return [schedule for schedule in firing if defaults | schedule.parameters == dict(parameters)]


def _fires_at(schedule: SchedulePlan, moment: datetime) -> bool:
    return _next(schedule, moment - timedelta(seconds=1)) == moment


def _next(schedule: SchedulePlan, after: datetime) -> datetime:
    return fire_times(of_plan(schedule.cron), schedule.timezone, after, 1)[0].astimezone(UTC)


def _successor(schedules: list[SchedulePlan], scheduled: datetime) -> datetime | None:
    """When the next run is due, whichever of the schedules it was; None where no schedule is known."""
    return max((_next(schedule, scheduled) for schedule in schedules), default=None)


def _allowed(catchup: CatchupPlan) -> tuple[int | None, str]:
    """How many seconds late a run may start, and the key that says so."""
    if catchup.skip_if_late is None and catchup.missed == "none":
        return PUNCTUAL, "catchup: none"
    return catchup.skip_if_late, "skip_if_late"


def _clock(moment: datetime, start: datetime, zone: ZoneInfo) -> str:
    """A time of day; with the date where it is not that of the start."""
    local = moment.astimezone(zone)
    return f"{local:%H:%M}" if local.date() == start.astimezone(zone).date() else f"{local:%Y-%m-%d %H:%M}"


def _length(late: timedelta) -> str:
    """How late, in full seconds, and from an hour on in full minutes."""
    seconds = int(late.total_seconds())
    return in_words(seconds - seconds % 60 if seconds >= 3600 else seconds)
