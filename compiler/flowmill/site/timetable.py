"""When a flow runs: its schedules and their next times."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from flowmill.planning.plan import Plan
from flowmill.report.explanation import text_of
from flowmill.site.shown import Shown
from flowmill.times.cron import of_plan
from flowmill.times.fire_times import fire_times

NEXT = 5
"""How many of the next times a page shows."""


@dataclass(frozen=True)
class Timetable:
    """One schedule.

    Attributes:
        cron: as the spec has it.
        parameters: their values for runs of this schedule, by name, as text.
        next: the next times, in its zone; what is paused has them as well, though nothing will start.
    """

    id: str
    cron: str
    timezone: str
    paused: bool
    parameters: tuple[tuple[str, str], ...]
    next: tuple[datetime, ...]


def timetables(plan: Plan, shown: Shown, start: datetime) -> tuple[Timetable, ...]:
    """The schedules of a flow, with their times after `start`."""
    return tuple(
        Timetable(
            id=schedule.id,
            cron=shown.text("schedules", number, "cron") or shown.text("cron"),
            timezone=schedule.timezone,
            paused=schedule.paused,
            parameters=tuple(
                (name, shown.text("schedules", number, "parameters", name) or text_of(value))
                for name, value in schedule.parameters.items()
            ),
            next=tuple(fire_times(of_plan(schedule.cron), schedule.timezone, start, NEXT)),
        )
        for number, schedule in enumerate(plan.schedules)
    )


def first_of(tables: Iterable[Timetable]) -> datetime | None:
    """When something starts next; None where nothing does by itself."""
    times = [table.next[0] for table in tables if table.next and not table.paused]
    return min(times, key=datetime.timestamp, default=None)
