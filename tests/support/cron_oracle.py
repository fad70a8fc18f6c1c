"""When a cron expression fires, found by trying every minute, hour and day: the judge of the cron tests.

It shares no code with what it judges and uses no cron library: it only asks of each number whether a field
admits it. It knows the accepted language, where one of the two day fields is `*`, and no time zones.
At the end it draws expressions of that language at random.
"""

import random
from datetime import date, datetime, time, timedelta

MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]


def admitted(field: str, numbers: range, names: list[str] | None = None) -> set[int]:
    """Those of the numbers which one field of an expression admits."""
    digits = field.upper()
    for value, name in enumerate(names or [], start=numbers.start):
        digits = digits.replace(name, str(value))
    items = digits.split(",")
    return {number for number in numbers if any(_admits(item, number, numbers.start) for item in items)}


def _admits(item: str, number: int, lowest: int) -> bool:
    stretch, _, step = item.partition("/")
    first, dash, last = stretch.partition("-")
    if first == "*":
        return (number - lowest) % int(step or 1) == 0
    if not dash:
        return number == int(first)
    return int(first) <= number <= int(last) and (number - int(first)) % int(step or 1) == 0


def fields(expression: str) -> tuple[set[int], ...]:
    """The values of minute, hour, day of month, month and day of week (0 to 6), as sets."""
    minute, hour, day, month, weekday = expression.split()
    sevens = admitted(weekday, range(8), WEEKDAYS)
    days, months = admitted(day, range(1, 32)), admitted(month, range(1, 13), MONTHS)
    return admitted(minute, range(60)), admitted(hour, range(24)), days, months, {n % 7 for n in sevens}


def fires(expression: str, after: datetime, count: int, years: int = 9) -> list[datetime]:
    """The first `count` times later than a naive `after`, fewer if the years do not hold that many."""
    minutes, hours, days, months, weekdays = fields(expression)
    clock = [time(hour, minute) for hour in sorted(hours) for minute in sorted(minutes)]
    found: list[datetime] = []
    day, end = after.date(), date(after.year + years, 1, 1)
    while len(found) < count and day < end:
        if day.month in months and day.day in days and day.isoweekday() % 7 in weekdays:
            found += [moment for t in clock if (moment := datetime.combine(day, t)) > after]
        day += timedelta(days=1)
    return found[:count]


NO_NAMES: list[str] = []
FIELDS = ((0, 59, NO_NAMES), (0, 23, NO_NAMES), (1, 31, NO_NAMES), (1, 12, MONTHS), (0, 6, WEEKDAYS))


def random_item(chance: random.Random, low: int, high: int, names: list[str]) -> str:
    """One item of a field: a value, a range, or a step over the field or a range."""

    def written(value: int) -> str:
        named = names and chance.random() < 0.3
        return chance.choice([str.upper, str.lower])(names[value - low]) if named else str(value)

    first, last = sorted(chance.sample(range(low, high + 1), 2))
    stretch = chance.choice([f"{written(first)}-{written(last)}", "*"])
    reach = last - first if stretch != "*" else high - low
    if chance.random() < 0.4 or reach < 2:
        return written(first)
    return f"{stretch}/{chance.randint(2, reach)}" if stretch == "*" or chance.random() < 0.5 else stretch


def random_expression(chance: random.Random) -> str:
    """An expression of the accepted subset, with at most one of the two day fields limited."""
    free_day = chance.choice([2, 4])
    texts = []
    for position, (low, high, names) in enumerate(FIELDS):
        items = [random_item(chance, low, high, names) for _ in range(chance.choice([1, 1, 1, 2, 3]))]
        texts.append("*" if position == free_day or chance.random() < 0.2 else ",".join(items))
    return " ".join(texts)
