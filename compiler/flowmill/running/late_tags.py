"""After how long a run that waits will not be carried out any more, as a tag that an automation can go by.

A run that starts decides itself whether it is too late (`lateness`). While no worker is there to start any, the
server can take away what would be skipped for certain, so that the queue does not grow.
"""

from datetime import date, timedelta
from functools import cache
from itertools import pairwise

from flowmill.planning.plan import Plan, SchedulePlan
from flowmill.running.lateness import PUNCTUAL
from flowmill.times.cron import Values, falls_on, of_plan

PREFIX = "flowmill-late-"
SHORTEST = 10
"""The least number of seconds that an automation waits."""
_DAY = 24 * 60 * 60
_START, _END = date(2001, 1, 1), date(2037, 1, 1)
"""28 years, after which weekdays fall on the same dates again, and a rest for what fires once in them."""


def late_tag(plan: Plan) -> str | None:
    """The tag of a deployment whose waiting runs may be taken away; None where none may."""
    seconds = late_limit(plan)
    return None if seconds is None else f"{PREFIX}{seconds}"


def late_limit(plan: Plan) -> int | None:
    """Seconds after which every run of the plan's schedules would skip itself; None where that is never certain.

    Of a schedule with gaps of several lengths it is the longest: a run after a shorter one decides itself.
    """
    active = [schedule for schedule in plan.schedules if not schedule.paused]
    if not active:
        return None
    allowed = plan.catchup.skip_if_late
    if allowed is None and plan.catchup.missed == "none":
        allowed = PUNCTUAL
    gap = None if plan.catchup.missed == "all" else max(map(_longest_gap, active))
    limits = [limit for limit in (allowed, gap) if limit is not None]
    return max(SHORTEST, min(limits)) if limits else None


def limit_of(tag: str) -> int | None:
    """The seconds that a tag names; None for any other tag."""
    seconds = tag.removeprefix(PREFIX)
    return int(seconds) if tag.startswith(PREFIX) and seconds.isdecimal() else None


def _longest_gap(schedule: SchedulePlan) -> int:
    """The most seconds between two neighbouring fire times, by the clock on the wall: its change may add an hour."""
    cron = of_plan(schedule.cron)
    times = sorted(60 * (60 * hour + minute) for hour in cron.hours for minute in cron.minutes)
    within_a_day = max((later - earlier for earlier, later in pairwise(times)), default=0)
    return max(within_a_day, times[0] - times[-1] + _DAY * _days_apart(cron.days, cron.months, cron.weekdays))


@cache
def _days_apart(days: Values, months: Values, weekdays: Values) -> int:
    """The most days from one on which it fires to the next, over the years after which the calendar repeats."""
    day, last, longest = _START, None, 0
    while day < _END:
        if falls_on(day, days, months, weekdays):
            longest = max(longest, (day - last).days if last else 0)
            last = day
        day += timedelta(days=1)
    return longest
