"""When the flows of a fleet start on a day, on one clock: what they load a server with together."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flowmill.lint.distances import days_of
from flowmill.planning.plan import Plan, SchedulePlan
from flowmill.times.cron import Values, of_plan

_DAY = 24 * 60
_A_YEAR = 366


@dataclass(frozen=True)
class Start:
    """A flow that starts within a stretch of the day.

    Attributes:
        flow: its name.
        times: how often.
        days: the three day fields of the schedule that says so.
    """

    flow: str
    times: int
    days: tuple[Values, Values, Values]


def clock_of(plans: Iterable[Plan]) -> str:
    """The zone of all their schedules, or UTC where these have several."""
    zones = {it.timezone for plan in plans for it in _running(plan)}
    return zones.pop() if len(zones) == 1 else "UTC"


def starts(plans: Iterable[Plan], clock: str, today: date, stretch: int = 1) -> Mapping[int, Sequence[Start]]:
    """Who starts when: by minutes since midnight on that clock, each the beginning of a stretch of minutes.

    Between zones the clocks of `today` are compared; that a run of the evening may be one of another day elsewhere is
    left out.
    """
    found: dict[int, list[Start]] = defaultdict(list)
    for plan in plans:
        for schedule in _running(plan):
            for begin, start in _of_schedule(plan.name, schedule, clock, today, stretch):
                found[begin].append(start)
    return found


def on_worst_day(found: Sequence[Start], today: date) -> list[Start]:
    """Those that come on the same day, on the day of the next year on which most runs start."""
    patterns = {it.days for it in found}
    if len(patterns) < 2:
        return list(found)
    days = {pattern: frozenset(days_of(*pattern, today, _A_YEAR)) for pattern in patterns}
    by_day = ([it for it in found if day in days[it.days]] for day in frozenset().union(*days.values()))
    return max(by_day, key=lambda its: (sum(it.times for it in its), len(its)), default=[])


def words(begin: int) -> str:
    """A time of day."""
    return f"{begin // 60:02}:{begin % 60:02}"


def listed(names: Collection[str], most: int = 10) -> str:
    """Some of the names, and how many more there are."""
    shown = [f"`{name}`" for name in sorted(names)[:most]]
    return ", ".join(shown) + (f" and {len(names) - most} more" if len(names) > most else "")


def _running(plan: Plan) -> Iterator[SchedulePlan]:
    return (it for it in plan.schedules if not it.paused)


def _of_schedule(
    flow: str, schedule: SchedulePlan, clock: str, today: date, stretch: int
) -> Iterator[tuple[int, Start]]:
    cron, ahead = of_plan(schedule.cron), _ahead(schedule.timezone, clock, today)
    counts: dict[int, int] = defaultdict(int)
    for minutes in cron.minutes_of_day:
        counts[(minutes - ahead) % _DAY // stretch * stretch] += 1
    for begin, times in counts.items():
        yield begin, Start(flow, times, (cron.days, cron.months, cron.weekdays))


def _ahead(zone: str, clock: str, today: date) -> int:
    """By how many minutes a zone is ahead of the clock."""
    noon = datetime.combine(today, time(12))
    offsets = [noon.replace(tzinfo=ZoneInfo(name)).utcoffset() or timedelta(0) for name in (zone, clock)]
    return (offsets[0] - offsets[1]) // timedelta(minutes=1)
