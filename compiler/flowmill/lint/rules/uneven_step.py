"""A step that does not divide its range, such as `*/45` minutes, starts over with each hour.

`*/45` fires at :00 and at :45, so the waits are 45 and 15 minutes: cron counts from the beginning of each hour (or
day, or month), and never across it. Whoever writes `*/45` mostly means "every 45 minutes", which cron cannot say.

Write a step that divides the range (`*/15`, `*/20`, `*/30` minutes; `*/6`, `*/8`, `*/12` hours), or list the values
that are meant, `0,45`. Steps of days and of weekdays are reported for the same reason; those of months that do not
divide the year as well. Where the next hour (or day, or month) is left out, as in `*/45 6 * * *`, nothing starts
over, and a range such as `5-50/15` says itself where it ends.
"""

import re
from collections.abc import Iterator, Sequence

from flowmill.diagnostics import Finding, Part, Route, Severity
from flowmill.lint.subjects import LintedFlow
from flowmill.spec.lint import RuleOptions
from flowmill.times.cron import Cron, parse

SEVERITY = Severity.WARNING
SUMMARY = "A step in a cron expression does not divide its range, so the last wait is shorter than the others."

_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day of month", 1, 31), ("month", 1, 12), ("day of week", 0, 6))
_STEP = re.compile(r"(?<![^,])\*/(?P<step>\d+)")
_LISTED = 8
"""How many values a message lists."""


def check(flow: LintedFlow, options: RuleOptions) -> Iterator[Finding]:
    for route, text in flow.bound.crons:
        cron = parse(text) if "*/" in text else None
        if isinstance(cron, Cron):
            yield from _in_cron(route, cron)


def _in_cron(route: Route, cron: Cron) -> Iterator[Finding]:
    words = re.finditer(r"\S+", cron.text)
    for field, word, begins_again in zip(_FIELDS, words, _begins_again(cron), strict=False):
        for item in _STEP.finditer(word[0]) if begins_again else ():
            yield from _uneven(route, field, item, word.start())


def _begins_again(cron: Cron) -> tuple[bool, ...]:
    """For each field, whether the hour (day, month, …) that it counts in is ever followed by another one."""
    days = _follow(cron.days, 1, 31) and _follow(cron.weekdays, 0, 6)
    return _follow(cron.hours, 0, 23), days, _follow(cron.months, 1, 12), True, True


def _follow(values: Sequence[int], low: int, high: int) -> bool:
    after = {low if value == high else value + 1 for value in values}
    return not after.isdisjoint(values)


def _uneven(route: Route, field: tuple[str, int, int], item: re.Match[str], offset: int) -> Iterator[Finding]:
    name, low, high = field
    step = int(item["step"])
    if (high - low + 1) % step:
        part = Part(offset + item.start(), offset + item.end())
        message, hint = _message(item[0], name, low, high, step), _hint(low, high, step)
        yield Finding(route, "uneven-step", message, hint, part=part)


def _message(text: str, name: str, low: int, high: int, step: int) -> str:
    values = [str(it) for it in range(low, high + 1, step)]
    short = (high - low) % step + 1
    shown = values if len(values) <= _LISTED else [*values[:2], "…", *values[-2:]]
    return f"`{text}` is not every {step}: {name} {', '.join(shown)}, then again {low}, which is only {short} later"


def _hint(low: int, high: int, step: int) -> str:
    values = ",".join(map(str, range(low, high + 1, step)))
    divisors = [it for it in range(2, high - low + 1) if (high - low + 1) % it == 0]
    nearest = min(divisors, key=lambda it: abs(it - step), default=None)
    return f"write `{values}` if that is meant" + (f", or a step that divides: `*/{nearest}`" if nearest else "")
