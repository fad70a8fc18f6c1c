"""When flows run, as one HTML page: no script, nothing from elsewhere, light and dark."""

from importlib.resources import files

from flowmill.counted import counted
from flowmill.report.schedule import cell, is_off, moment, notes, rows_of, what_it_is
from flowmill.timetable.calendar import Calendar, Day
from flowmill.timetable.load import Fire

LEVELS = 6
"""Shades of load."""
_NAMED = 12
"""Runs that are named at an hour."""


def as_page(seen: Calendar) -> str:
    """The whole page."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    source = files("flowmill.report").joinpath("schedule.html").read_text(encoding="utf-8")
    counts = seen.per_day()
    return (
        environment.from_string(source).render(
            seen=seen,
            what=what_it_is(seen),
            moment=moment,
            rows=rows_of(seen),
            cell=lambda row, day: cell(seen, row, day),
            is_off=lambda row: is_off(seen, row),
            count=lambda day: counts[day.date],
            notes=list(notes(seen.days)),
            hours=range(24),
            load=lambda server, day, hour: _load(seen, server, day, hour),
            of_day=lambda server, day: sum(seen.load[server][start] for start in day.hours),
            levels=range(LEVELS + 1),
        )
        + "\n"
    )


def _load(seen: Calendar, server: str, day: Day, hour: int) -> tuple[str, int, str]:
    """One cell: what it says, how dark it is, and what it tells when it is pointed at."""
    starts = day.at(hour)
    if not starts:
        return "×", 0, "clocks skip this hour"
    counts = [seen.load[server][start] for start in starts]
    level = -(-max(counts) * LEVELS // (seen.highest or 1))
    runs = [fire for start in starts for fire in seen.by_hour.get((server, start), [])]
    text = "+".join(map(str, counts)) if len(counts) > 1 and any(counts) else str(counts[0] or "")
    return text, level, _named(seen, runs)


def _named(seen: Calendar, runs: list[Fire]) -> str:
    names = [f"{seen.local(it.moment):%H:%M %Z} {it.flow} in {it.environment}" for it in runs[:_NAMED]]
    more = [f"and {len(runs) - _NAMED} more"] if len(runs) > _NAMED else []
    return "\n".join([counted(len(runs), "run"), *names, *more]) if runs else ""
