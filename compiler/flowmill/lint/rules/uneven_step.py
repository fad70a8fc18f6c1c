"""A step that does not divide its range, such as `*/45` minutes, starts over with each hour.

`*/45` fires at :00 and at :45, so the waits are 45 and 15 minutes: cron counts from the beginning of each hour (or
day, or month), and never across it. Whoever writes `*/45` mostly means "every 45 minutes", which cron cannot say.

Write a step that divides the range (`*/15`, `*/20`, `*/30` minutes; `*/6`, `*/8`, `*/12` hours), or list the values
that are meant, `0,45`. Steps of days and of weekdays are reported for the same reason; those of months that do not
divide the year as well.
"""

import re
from collections.abc import Iterator

from flowmill.diagnostics import Finding, Part, Route, Severity
from flowmill.lint.subjects import LintedFlow
from flowmill.spec_lint import RuleOptions

SEVERITY = Severity.WARNING
SUMMARY = "A step in a cron expression does not divide its range, so the last wait is shorter than the others."

_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day of month", 1, 31), ("month", 1, 12), ("day of week", 0, 6))
_STEP = re.compile(r"\*/(?P<step>\d+)")


def check(flow: LintedFlow, options: RuleOptions) -> Iterator[Finding]:
    for route, text in flow.bound.crons:
        words = re.finditer(r"\S+", text)
        for field, word in zip(_FIELDS, words, strict=False):
            for item in _STEP.finditer(word[0]):
                yield from _uneven(route, field, item, word.start())


def _uneven(route: Route, field: tuple[str, int, int], item: re.Match[str], offset: int) -> Iterator[Finding]:
    name, low, high = field
    step = int(item["step"])
    if (high - low + 1) % step:
        part = Part(offset + item.start(), offset + item.end())
        message, hint = _message(item[0], name, low, high, step), _hint(low, high, step)
        yield Finding(route, "uneven-step", message, hint, part=part)


def _message(text: str, name: str, low: int, high: int, step: int) -> str:
    values = [*range(low, high + 1, step)]
    short = high + 1 - values[-1]
    return f"`{text}` is not every {step}: {name} {', '.join(map(str, values))}, then again {low}, {short} later"


def _hint(low: int, high: int, step: int) -> str:
    values = ",".join(map(str, range(low, high + 1, step)))
    divisors = [it for it in range(2, high - low + 1) if (high - low + 1) % it == 0]
    nearest = min(divisors, key=lambda it: abs(it - step), default=None)
    return f"write `{values}` if that is meant" + (f", or a step that divides: `*/{nearest}`" if nearest else "")
