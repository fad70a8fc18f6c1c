"""A schedule fires at a time that the clocks of its zone leave out, or show twice, within the next two years.

When clocks are set forward, 02:30 does not exist on that day. Prefect then runs at 03:30; but Prefect 3.8 on a Python
before 3.13 runs at 01:30, when the data of that hour is not there yet, and a run that is due at midnight comes on the
day before, which then has two. When clocks are set back, 02:30 comes twice, and the run starts at the first of the two.
The next one comes 25 hours later, and two different times of the log have the same name.

Choose a time that every day has once, as the finding says, or count in UTC: `timezone: UTC`.

A schedule that also fires in the hour before and in the hour after the change merely passes over it, as each hourly one
does, and nothing is said; nor of schedules that are paused.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import groupby
from zoneinfo import ZoneInfo

from flowmill.diagnostics import Finding, Route, Severity
from flowmill.lint.subjects import LintedFlow
from flowmill.planning.plan import SchedulePlan
from flowmill.spec.lint import RuleOptions
from flowmill.times.clock_changes import ClockChange, ConcernedTime, clock_changes, concerned_times
from flowmill.times.cron import Cron, of_plan

SEVERITY = Severity.WARNING
SUMMARY = "A schedule fires at a time that the clocks of its zone leave out or show twice, within two years."

_AHEAD = timedelta(days=731)
_HOUR = timedelta(hours=1)


def check(flow: LintedFlow, options: RuleOptions) -> Iterator[Finding]:
    for index, schedule in enumerate(flow.plan.schedules):
        times = () if schedule.paused else _surprising(schedule.cron, schedule.timezone, flow.today)
        if times:
            yield _finding(flow.bound.route_of_cron(index), schedule, times, flow.today)


@lru_cache(maxsize=4096)
def _surprising(explicit: str, zone: str, today: date) -> tuple[ConcernedTime, ...]:
    cron = of_plan(explicit)
    return tuple(it for it in concerned_times(cron, zone, *_stretch(today)) if not _passes_over(cron, it.change))


def _stretch(today: date) -> tuple[datetime, datetime]:
    start = datetime.combine(today, time(), UTC)
    return start, start + _AHEAD


def _passes_over(cron: Cron, change: ClockChange) -> bool:
    return _fires_in_hour(cron, change.first - _HOUR) and _fires_in_hour(cron, change.end)


def _fires_in_hour(cron: Cron, first: datetime) -> bool:
    return any(cron.is_at(first + timedelta(minutes=minutes)) for minutes in range(60))


def _finding(route: Route, schedule: SchedulePlan, times: Sequence[ConcernedTime], today: date) -> Finding:
    gap = next((it for it in times if it.change.is_gap), None)
    twice = next((it for it in times if not it.change.is_gap), None)
    parts = [f"{gap.wall:%H:%M} does not exist on {gap.wall:%Y-%m-%d}"] if gap else []
    parts += [f"{twice.wall:%H:%M} comes twice on {twice.wall:%Y-%m-%d}"] if twice else []
    message = f"{' and '.join(parts)}, when the clocks of {schedule.timezone} change"
    details = tuple(_details(of_plan(schedule.cron), times, ZoneInfo(schedule.timezone)))
    return Finding(route, "clock-change", message, _hint(schedule, times[0].wall, today), details=details)


def _details(cron: Cron, times: Sequence[ConcernedTime], zone: ZoneInfo) -> Iterator[str]:
    """A line per change of the clocks, about the first time that it concerns."""
    for change, group in groupby(times, key=lambda it: it.change):
        first, *others = group
        words = _in_gap(cron, first, zone) if change.is_gap else _twice(first, zone)
        yield f"{first.wall:%Y-%m-%d %H:%M} {words}{f'; {len(others)} more likewise' if others else ''}"


def _in_gap(cron: Cron, it: ConcernedTime, zone: ZoneInfo) -> str:
    local, day = it.fires.astimezone(zone), it.wall.date()
    together = ", as one with the run of that time" if cron.is_at(local.replace(tzinfo=None)) else ""
    early = f"on Prefect 3.8 before Python 3.13 at {_both(it.otherwise, zone, day)}"
    return f"does not exist: runs at {_both(it.fires, zone, day)}{together}, {early}"


def _twice(it: ConcernedTime, zone: ZoneInfo) -> str:
    day = it.wall.date()
    return f"comes twice: runs at {_both(it.fires, zone, day)}, not at {_both(it.otherwise, zone, day)}"


def _both(moment: datetime, zone: ZoneInfo, day: date) -> str:
    """A moment on the clocks of the zone, and in UTC; with its date where that is another one."""
    return f"{_on(moment.astimezone(zone), day)} ({_on(moment, day)})"


def _on(moment: datetime, day: date) -> str:
    return f"{moment:{'%H:%M' if moment.date() == day else '%Y-%m-%d %H:%M'} %Z}"


def _hint(schedule: SchedulePlan, wall: datetime, today: date) -> str:
    changes = clock_changes(schedule.timezone, *_stretch(today))
    shifts = (sign * hours * _HOUR for hours in range(1, 12) for sign in (1, -1))
    free = next((it for shift in shifts if _is_free(it := wall + shift, changes)), None)
    instead = f"let it run at {free:%H:%M} instead of {wall:%H:%M}, or " if free else ""
    return f"{instead}set `timezone: UTC`, whose clocks never change"


def _is_free(wall: datetime, changes: Sequence[ClockChange]) -> bool:
    """Whether no change concerns this time of the day, on whichever day."""
    return not any(
        change.first <= datetime.combine(day, wall.time()) < change.end for change in changes for day in _days(change)
    )


def _days(change: ClockChange) -> tuple[date, date]:
    return change.first.date(), change.end.date()
