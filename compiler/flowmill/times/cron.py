"""Cron expressions: the strict subset that every cron program reads alike, and its rewrite to explicit lists.

Five fields; in each `*`, a value, a range `a-b`, a step `*/n` or `a-b/n`, or a list of these. Outside this
subset croniter, Prefect's server and cron itself disagree about the meaning, so nothing else is accepted.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime

from flowmill.diagnostics import Part
from flowmill.suggest import did_you_mean, nearest

Values = tuple[int, ...]

ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
LENGTH_AT_MOST = 256
"""In characters. Prefect's server reads an expression in quadratic time: one of 15 kB stalls its API."""


@dataclass(frozen=True)
class CronProblem:
    """Why an expression is refused: a stretch of its text, what is wrong there, and the likely fix."""

    part: Part
    message: str
    hint: str = ""
    instead: str = ""
    """What can only have been meant at the part."""


@dataclass(frozen=True)
class Cron:
    """An expression that was understood: its text as written, and the values of each field, sorted.

    Weekdays count from 0, Sunday, to 6. `explicit` is the same expression with every field written out as
    a list (`*` where the whole field is meant): the text that goes to the server.
    """

    text: str
    minutes: Values
    hours: Values
    days: Values
    months: Values
    weekdays: Values
    explicit: str

    def is_on(self, day: date) -> bool:
        """Whether it fires on a day; at most one of its two day fields is limited."""
        return falls_on(day, self.days, self.months, self.weekdays)

    def is_at(self, wall: datetime) -> bool:
        """Whether a local time is one of its times."""
        return self.is_on(wall.date()) and wall.hour in self.hours and wall.minute in self.minutes

    @property
    def minutes_of_day(self) -> list[int]:
        """When it fires on a day on which it does, in minutes since midnight."""
        return [hour * 60 + minute for hour in self.hours for minute in self.minutes]


def falls_on(day: date, days: Values, months: Values, weekdays: Values) -> bool:
    """Whether a day fits the three day fields of an expression."""
    return day.month in months and day.day in days and day.isoweekday() % 7 in weekdays


@dataclass(frozen=True)
class _Field:
    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()
    also_low: int | None = None  # a further number that means the lowest one

    def number(self, word: str) -> int | None:
        """What a number or a name stands for, None where it is neither."""
        if word.upper() in self.names:
            return self.low + self.names.index(word.upper())
        value = _whole_number(word)
        inside = value is not None and self.low <= value <= self.high
        return value if inside or value == self.also_low else None

    def span(self, low: int, high: int) -> str:
        ends = [self.names[end - self.low] if self.names else str(end) for end in (low, high)]
        return ends[0] if low == high else "-".join(ends)


_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_WHOLE_NAMES = (
    *("JANUARY", "FEBRUARY", "MARCH", "APRIL", "JUNE", "JULY", "AUGUST", "SEPTEMBER", "OCTOBER", "NOVEMBER"),
    *("DECEMBER", "SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY"),
)
_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of week", 0, 6, _WEEKDAYS, also_low=7),
)
_DAYS_AT_MOST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_ITEM = re.compile(r"(?:\*(?=/)|(\w+)(?:-(\w+))?)(?:/\w+)?")
_ANY = r"\?"
_EXTENSIONS = (
    (r"\*", "already means every value", "write `*` alone, or only the other values"),
    (_ANY, "is Quartz's word for any value", "write `*`"),
    (r"[HR](\(.*)?(/.*)?", "leaves the value to the program", "write the value itself"),
    (r"L(-.*|W)?", "means the last day, which cron cannot say", "run on day 1 for the month before"),
    (r"\d*W", "means the nearest working day, which cron cannot say", "limit the day of week: `MON-FRI`"),
    (r"\d+L|.*#.*", "picks one week of the month, which cron cannot say", "let the script test the date"),
)
"""What other programs add to cron, each understood differently or not at all by the next."""


@dataclass(frozen=True)
class _Word:
    """A stretch of the expression and where it stands there."""

    text: str
    start: int

    def to(self, last: "_Word") -> Part:
        return Part(self.start, last.start + len(last.text))

    def words(self, pattern: str) -> "list[_Word]":
        return [_Word(match[0], self.start + match.start()) for match in re.finditer(pattern, self.text)]

    def refused(self, message: str, hint: str = "", instead: str = "") -> CronProblem:
        return CronProblem(self.to(self), message, hint, instead)

    def __str__(self) -> str:
        return "`" + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in self.text) + "`"


def parse(text: str) -> Cron | list[CronProblem]:
    """Read an expression; or else say what is wrong with it, in the order of the text."""
    if len(text) > LENGTH_AT_MOST:
        message = f"the expression is {len(text)} characters long: expected at most {LENGTH_AT_MOST}"
        return [CronProblem(Part(LENGTH_AT_MOST, len(text)), message, "split it into several schedules")]
    return _parsed(text)


def of_plan(explicit: str) -> Cron:
    """The expression of a plan: spelt out, it may be longer than one in a spec.

    Raises:
        ValueError: no plan holds such an expression.
    """
    parsed = _parsed(explicit)
    if not isinstance(parsed, Cron):
        raise ValueError(f"`{explicit}` is not a cron expression of a plan: {parsed[0].message}")
    return parsed


def _parsed(text: str) -> Cron | list[CronProblem]:
    odd = _Word(text, 0).words(r"[^ -~\t]+")
    if odd:
        return [_not_ascii(word) for word in odd]
    words = _Word(ALIASES.get(text.strip(), text), 0).words(r"[^ \t]+")
    if words and words[0].text.startswith("@"):
        step = "write a step, such as `*/5 * * * *`" if words[0].text == "@every" else ""
        return [words[0].refused(f"{words[0]} is not known here", step or did_you_mean(words[0].text, ALIASES))]
    return _cron(text, words) if len(words) == len(_FIELDS) else [_wrong_count(text, words)]


def _cron(text: str, words: list[_Word]) -> Cron | list[CronProblem]:
    problems: list[CronProblem] = []
    values = [_field_values(field, word, problems) for field, word in zip(_FIELDS, words, strict=True)]
    minutes, hours, days, months, weekdays = values
    problems += _day_problems(words, days, months, weekdays)
    explicit = (
        "*" if len(numbers) > field.high - field.low else ",".join(map(str, numbers))
        for field, numbers in zip(_FIELDS, values, strict=True)
    )
    cron = Cron(text, minutes, hours, days, months, weekdays, " ".join(explicit))
    return sorted(problems, key=lambda problem: problem.part.start) or cron


def _not_ascii(word: _Word) -> CronProblem:
    name = unicodedata.name(word.text[0], "a control character").lower()
    digits = [str(digit) for c in word.text if (digit := unicodedata.decimal(c, None)) is not None]
    fix = f"write `{''.join(digits)}`" if digits else "write one line of ASCII, with plain spaces"
    return word.refused(f"{word} ({name}) is not allowed", fix, "".join(digits) * (len(digits) == len(word.text)))


def _wrong_count(text: str, words: list[_Word]) -> CronProblem:
    found = f"found {len(words) or 'no'} field{'s' * (len(words) != 1)}"
    message = f"{found}, expected five: {', '.join(field.name for field in _FIELDS)}"
    if not words:
        return CronProblem(Part(0, len(text)), message, "for example `0 8 * * MON-FRI`")
    if len(words) < len(_FIELDS):
        padded = " ".join([word.text for word in words] + ["*"] * (len(_FIELDS) - len(words)))
        alias = nearest(f"@{words[0].text}", ALIASES)
        fix = f"did you mean `{alias}`?" if alias else f"`{padded}`, if the missing fields may have any value"
        return CronProblem(words[0].to(words[-1]), message, fix)
    extra, five, meaning = _extra_field(words)
    fix = " ".join(word.text.replace("?", "*") for word in five)
    return extra.refused(f"{message}; {extra} {meaning}", f"write `{fix}`")


def _extra_field(words: list[_Word]) -> tuple[_Word, list[_Word], str]:
    """The field that is one too many, the five without it, and what it means to the programs that have it."""
    first, sixth = words[0], words[5]
    if "=" in first.text:
        return first, words[1:6], "belongs under `timezone`"
    if re.match(r"\d{4}", sixth.text):
        return sixth, words[:5], "is a year, which cron does not have"
    if len(words) > 7 or (re.match(r"[A-Za-z./~]", sixth.text) and sixth.text[:3].upper() not in _WEEKDAYS):
        return sixth, words[:5], "is not a time"
    return first, words[1:6], "would be seconds, which cron does not have"


def _field_values(field: _Field, word: _Word, problems: list[CronProblem]) -> Values:
    """The values of one field, sorted; none where the field has a problem, which is added to `problems`."""
    if word.text == "*":
        return tuple(range(field.low, field.high + 1))
    items = word.words(r"[^,]+")
    found = [_item_values(field, item) for item in items]
    wrong = [values for values in found if isinstance(values, CronProblem)]
    if len(items) != word.text.count(",") + 1:
        wrong.append(word.refused(f"{word} has a comma with no value beside it", "remove the comma"))
    problems += wrong
    values = {value for values in found if not isinstance(values, CronProblem) for value in values}
    if field.also_low in values:
        values = values - {field.also_low} | {field.low}
    return () if wrong else tuple(sorted(values))


def _item_values(field: _Field, item: _Word) -> range | CronProblem:
    """The values of one item of a list: a value, a range, or a step over a range."""
    match = _ITEM.fullmatch(item.text)
    if not match:
        return _not_a_value(field, item)
    ends = [_Word(match[group], item.start + match.start(group)) for group in (1, 2) if match[group]]
    numbers = [number for end in ends if (number := field.number(end.text)) is not None]
    if len(numbers) < len(ends):
        return _not_a_value(field, next(end for end in ends if field.number(end.text) is None))
    if len(numbers) == 1:
        return range(numbers[0], numbers[0] + 1) if ends == [item] else _step_of_one(field, item, numbers[0])
    low, high = numbers or (field.low, field.high)
    return _stepped(item, low, high) if low < high else _wrong_range(field, item, low, high)


def _whole_number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() else None


def _not_a_value(field: _Field, word: _Word) -> CronProblem:
    for pattern, meaning, fix in _EXTENSIONS:
        if re.fullmatch(pattern, word.text, re.IGNORECASE):
            return word.refused(f"{word} {meaning}", fix, "*" * (pattern == _ANY))
    names = f" or {field.names[0]} to {field.names[-1]}" if field.names else ""
    midnight = "0" if field.low == 0 and word.text == str(field.high + 1) else None
    likely = midnight or nearest(word.text[:3], field.names)
    fix = f"did you mean `{likely}`?" if likely else "write values, ranges `a-b` or steps `*/n`, with commas"
    instead = word.text[:3].upper() * (word.text.upper() in _WHOLE_NAMES and word.text[:3].upper() in field.names)
    message = f"{word} is no {field.name}: expected {field.low} to {field.high}{names}"
    return word.refused(message, fix, instead)


def _stepped(item: _Word, low: int, high: int) -> range | CronProblem:
    """The values from low to high that the item's step reaches; without a step, all of them."""
    written, slash, count = item.text.partition("/")
    if not slash:
        return range(low, high + 1)
    word, step = _Word(count, item.start + len(written) + 1), _whole_number(count) or 0
    if step < 2:
        return word.refused(f"{word} is no step: expected a number from 2 on", f"write `{written}`")
    if step > high - low:
        first = written.split("-")[0].replace("*", str(low))
        return word.refused(f"a step of {word} is too large: only `{first}` is reached", f"write `{first}`")
    return range(low, high + 1, step)


def _step_of_one(field: _Field, item: _Word, value: int) -> CronProblem:
    """Refuse `59/15`, which cron reads as 59, and Prefect's server as every 15 minutes of the hour."""
    written, _, count = item.text.partition("/")
    step = _whole_number(count) or 0
    starts = [start for start in (value, step, field.low) if step >= 2 and start + step <= field.high]
    fix = f" for that value alone, or a range such as `{starts[0]}-{field.high}/{step}`" if starts else ""
    return item.refused(f"{item} has a step but no range to step over", f"write `{written}`{fix}")


def _wrong_range(field: _Field, item: _Word, low: int, high: int) -> CronProblem:
    written, _, count = item.text.partition("/")
    if low == high:
        value = written.split("-")[0]
        return item.refused(f"{item} is a range of one value", f"write `{value}`", value * (not count))
    spans = [span for span in ((low, field.high), (field.low, high)) if span[0] <= span[1]]
    step = _whole_number(count)
    if step:
        values = [value for span in spans for value in range(span[0], span[1] + 1)]
        spans = [(value, value) for value in values[::step]]
    return item.refused(f"{item} runs backwards", f"write `{','.join(field.span(*span) for span in spans)}`")


def _day_problems(words: list[_Word], days: Values, months: Values, weekdays: Values) -> list[CronProblem]:
    """What is wrong with the day fields taken together; a field that could not be read has no values."""
    _, _, day, month, weekday = words
    longest = max((_DAYS_AT_MOST[number - 1] for number in months), default=31)
    if days and days[0] > longest:
        hint = f"the last day there is {longest}{', and only in leap years' * (longest == 29)}"
        return [CronProblem(day.to(month), f"the day never comes: month {month} has no day {day}", hint)]
    if days and weekdays and day.text != "*" and weekday.text != "*":
        return [_both_limited(words)]
    return [_skipped(words, days)] if {2, 3} <= set(months) and _jumps_over_march(days) else []


def _both_limited(words: list[_Word]) -> CronProblem:
    minute, hour, day, month, weekday = (word.text for word in words)
    message = f"day of month `{day}` and day of week `{weekday}` are both limited: cron would run on either"
    two = f"`{minute} {hour} {day} {month} *` and `{minute} {hour} * {month} {weekday}`"
    hint = f"for either, write two schedules, {two}; for both, keep one and let the script test the other"
    return CronProblem(words[2].to(words[4]), message, hint)


def _jumps_over_march(days: Values) -> bool:
    """Whether Prefect's server passes over the first of these days in March.

    After the last day of the list in February its croniter adds up to the next one, as if February had it:
    `1,30` goes from 1 February to "30 February", which is 2 March.
    """
    for length in (28, 29):
        reached = [day for day in days if day <= length]
        beyond = [day for day in days if day > length]
        if reached and beyond and reached[-1] < length and days[0] < beyond[0] - length:
            return True
    return False


def _skipped(words: list[_Word], days: Values) -> CronProblem:
    minute, hour, _, month, weekday = (word.text for word in words)
    halves = ([day for day in days if day <= 2], [day for day in days if day > 2])
    parts = (f"`{minute} {hour} {','.join(map(str, half))} {month} {weekday}`" for half in halves)
    message = f"Prefect's server would skip {days[0]} March: {words[2]} holds that day and one after the 29th"
    return words[2].refused(message, f"write two schedules, {' and '.join(parts)}")
