"""When flows run, as text: the next runs, a calendar of days, and how many runs start on each server in an hour."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from flowmill.counted import counted
from flowmill.report.style import Style
from flowmill.timetable.calendar import Calendar, Day, Row
from flowmill.timetable.load import HOUR, Fire, paused, running

DAYS_IN_A_ROW = 7
"""Days beside each other; more stand below."""
_BLOCKS = " ▁▂▃▄▅▆▇█"
_COLOURS = ("green", "yellow", "red")
_CELL, _HOURS = 8, range(24)


def as_text(seen: Calendar, style: Style) -> str:
    """All that was asked for, with its headings."""
    parts = [_head(seen, style)]
    if seen.upcoming:
        parts.append([style.paint("next runs", "bold"), *_upcoming(seen.upcoming)])
    for index in range(0, len(seen.days), DAYS_IN_A_ROW):
        parts.append(list(_calendar(seen, seen.days[index : index + DAYS_IN_A_ROW], style)))
    if seen.load:
        parts.append(list(_load(seen, style)))
    return "\n\n".join("\n".join(line.rstrip() for line in part) for part in parts) + "\n"


def _head(seen: Calendar, style: Style) -> list[str]:
    lines = [style.paint(what_it_is(seen), "bold")]
    until = f" to {moment(seen.local(seen.days[-1].end))}" if seen.days else ""
    return [*lines, f"from {moment(seen.local(seen.start))}{until}, on clocks of {seen.zone.key}"]


def what_it_is(seen: Calendar) -> str:
    """How many flows and schedules are looked at."""
    on, off = len(list(running(seen.plans))), len(list(paused(seen.plans)))
    by_hand = sum(not plan.schedules for plan in seen.plans)
    words = [counted(len({plan.name for plan in seen.plans}), "flow"), counted(on + off, "schedule")]
    words += [f"{off} of them paused"] if off else []
    words += [f"{by_hand} without one"] if by_hand else []
    return ", ".join(words)


def moment(local: datetime) -> str:
    """A time with its day and the name that its zone has then."""
    return f"{local:%a %Y-%m-%d %H:%M %Z}"


def _upcoming(found: Sequence[Fire]) -> Iterator[str]:
    rows = [
        (moment(it.local), f"{it.moment:%Y-%m-%d %H:%M} UTC", it.flow, it.environment, it.server, it.schedule)
        for it in found
    ]
    yield from (f"  {line}" for line in _table(rows))


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Lines whose columns stand below each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(f"{text:<{width}}" for text, width in zip(row, widths, strict=True))


def rows_of(seen: Calendar) -> list[Row]:
    """The flows that have schedules, in their environments."""
    return sorted({(plan.name, plan.environment) for plan in seen.plans if plan.schedules})


def _calendar(seen: Calendar, days: Sequence[Day], style: Style) -> Iterator[str]:
    rows = rows_of(seen)
    names = dict(zip(rows, _table(rows), strict=True))
    width = max((len(name) for name in names.values()), default=0)
    titles = "".join(f"{day.date:%a %d}".ljust(_CELL) for day in days)
    yield style.paint(f"{f'calendar, {days[0].date:%B %Y}':<{width}}  {titles}", "bold")
    for flow, environment in rows:
        name = names[flow, environment]
        cells = "".join(cell(seen, (flow, environment), day).ljust(_CELL) for day in days)
        line = f"{name:<{width}}  {cells}"
        yield style.paint(line, "dim") if is_off(seen, (flow, environment)) else line
    counts = seen.per_day()
    yield style.paint(f"{'runs':<{width}}  " + "".join(str(counts[day.date]).ljust(_CELL) for day in days), "bold")
    yield from (f"{'':<{width}}  {note}" for note in notes(days))


def is_off(seen: Calendar, row: Row) -> bool:
    """Whether every schedule of a flow is paused."""
    return row not in {(plan.name, plan.environment) for plan, _ in running(seen.plans)}


def cell(seen: Calendar, row: Row, day: Day) -> str:
    """When a flow runs on a day, or how often."""
    found = seen.by_day.get((row, day.date), [])
    if len(found) == 1:
        return f"{seen.local(found[0].moment):%H:%M}"
    return f"{len(found)}×" if found else "paused" if is_off(seen, row) else "-"


def notes(days: Iterable[Day]) -> Iterator[str]:
    """What is unusual about a day: it is shorter or longer than others."""
    for day in days:
        if day.length != timedelta(days=1):
            hours = day.length / HOUR
            yield f"{day.date:%a %d} has {hours:g} hours: clocks {'skip' if hours < 24 else 'repeat'} {_odd(day)}"


def _odd(day: Day) -> str:
    hours = [hour for hour in _HOURS if len(day.at(hour)) != 1]
    return ", ".join(f"{hour:02}:00" for hour in hours) or "a part of an hour"


def _load(seen: Calendar, style: Style) -> Iterator[str]:
    """A row for each day of each server, a column for each hour of a day."""
    yield style.paint("runs that start in an hour", "bold")
    for server, hours in sorted(seen.load.items()):
        yield style.paint(f"{server:<10}" + "".join(f" {hour:02}" for hour in _HOURS), "dim")
        for day in seen.days:
            counts = [[hours[start] for start in day.at(hour)] for hour in _HOURS]
            row = "".join(_shade(count, seen, style) for count in counts)
            yield f"{day.date:%a %d}    {row}  {sum(map(sum, counts)) or ''}"
        yield f"{'busiest':<10} {_busiest(seen, server)}"


def _shade(counts: Sequence[int], seen: Calendar, style: Style) -> str:
    """One cell: a block that is as high as the load on a terminal, else the number."""
    if not counts:
        return "  ×" if not style.colour else "  " + style.paint("×", "dim")
    count = max(counts) if style.colour else sum(counts)
    if not style.colour:
        return f"{count or '·':>3}"
    level = -(-count * (len(_BLOCKS) - 1) // seen.highest)
    block = _BLOCKS[level] * 2 if level else " ·"
    return " " + style.paint(block, _COLOURS[(level - 1) * len(_COLOURS) // (len(_BLOCKS) - 1)] if level else "dim")


def _busiest(seen: Calendar, server: str) -> str:
    start, count = max(seen.load[server].items(), key=lambda it: (it[1], -it[0].timestamp()))
    return f"{seen.local(start):%a %d %H:%M %Z}, {counted(count, 'run')}"


def in_utc(local: datetime) -> str:
    """A moment as machines write it."""
    return local.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
