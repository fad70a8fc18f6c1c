"""When an expression fires on a zone's clock, found by reading that clock every quarter of an hour.

It knows of a zone only what its clock shows at an instant in UTC: neither `fold` nor arithmetic with offsets. At the
end it draws expressions at random that fire near a change of the clock.
"""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

from support.cron_oracle import fields, random_expression

DAY, QUARTER, MINUTE = timedelta(days=1), timedelta(minutes=15), timedelta(minutes=1)

Quarters = dict[datetime, datetime]
"""The local quarters of hours of a stretch, naive, with the instant in UTC which each of them means."""


def shown(instant: datetime, zone: str) -> datetime:
    """What the zone's clock shows, naive."""
    return instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def offset(instant: datetime, zone: str) -> timedelta:
    return shown(instant, zone) - instant.replace(tzinfo=None)


def quarters(zone: str, start: datetime, end: datetime) -> Quarters:
    """A time that comes twice means its first occurrence; a skipped one counts on from the last time before the gap."""
    found: Quarters = {}
    last_wall = shown(start, zone)
    for number in range((end - start) // QUARTER):
        instant = start + number * QUARTER
        wall = shown(instant, zone)
        assert wall.minute % 15 == 0, f"{zone} is no multiple of 15 minutes away from UTC"
        skipped = last_wall + QUARTER
        while skipped < wall:
            found.setdefault(skipped, instant + (skipped - last_wall - QUARTER))
            skipped += QUARTER
        found.setdefault(wall, instant)
        last_wall = wall
    return found


def fires_on(expression: str, clock: Quarters) -> list[datetime]:
    """The instants of an expression in a stretch, in UTC."""
    minutes, hours, days, months, weekdays = fields(expression)
    found = set()
    for wall, instant in clock.items():
        on_the_day = wall.month in months and wall.day in days and wall.isoweekday() % 7 in weekdays
        if on_the_day and wall.hour in hours:
            found |= {instant + n * MINUTE for n in range(15) if wall.minute + n in minutes}
    return sorted(found)


def days_of_changes(zone: str, start: datetime, years: int) -> list[datetime]:
    """The days, by their beginnings in UTC, within which the zone's clock is set forward or back."""
    days = [start + n * DAY for n in range(years * 366)]
    offsets = [offset(day, zone) for day in days]
    return [day for day, old, new in zip(days, offsets, offsets[1:], strict=False) if old != new]


def changing_zones(start: datetime, years: int) -> dict[str, list[datetime]]:
    """All zones of the database whose clock is changed in these years, and on which days."""
    changes = {zone: days_of_changes(zone, start, years) for zone in sorted(available_timezones())}
    return {zone: days for zone, days in changes.items() if days}


def expression_near(chance: random.Random, wall: datetime) -> str:
    """An expression that fires on the day of a local time, mostly in the hours around it; now and then any."""
    if chance.random() < 0.15:
        return random_expression(chance)
    minute = chance.choice(["0", "*/15", "*/20", "0,30", str(chance.randrange(60)), f"{chance.randrange(29)}-59/7"])
    near = (wall.hour + chance.choice([-1, 0, 0, 0, 1])) % 24
    hour = chance.choice(["*", "0-4", f"{near}", f"{near}", f"{near},{(near + 1) % 24}", "*/2", "1-3,14"])
    month = chance.choice(["*", "*", str(wall.month), "*/2", "MAR-NOV"])
    day = chance.choice(["*", "*", f"{wall.day}", f"{wall.day},7" if wall.day < 29 else "28"])
    weekday = chance.choice(["*", "SUN", "0-6/2", "FRI,SAT,SUN", str(wall.isoweekday())]) if day == "*" else "*"
    return f"{minute} {hour} {day} {month} {weekday}"


def moments_around(chance: random.Random, day: datetime) -> Iterator[datetime]:
    """Moments to ask at: before a day of a change, within it, and soon after."""
    yield day - DAY
    yield day + chance.randrange(3 * 1440) * MINUTE
