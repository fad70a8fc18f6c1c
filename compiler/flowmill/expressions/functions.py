"""The functions and filters of the expression language: pure, total on their documented input, bounded."""

import html
import json
import re
from collections.abc import Callable
from datetime import date as Date
from datetime import datetime, timedelta
from typing import Any

TIME_ATTRIBUTES = frozenset({"year", "month", "day", "hour", "minute", "second"})

_UNPADDED = re.compile(r"%-([dmHMSIjy])")


def _timedelta(unit: str) -> Callable[[float], timedelta]:
    def span(count: float) -> timedelta:
        return timedelta(**{unit: float(count)})

    return span


def date(moment: Date, pattern: str = "%Y-%m-%d") -> str:
    """Format a time with strftime's codes; `%-d` and its like leave the leading zero out on every platform."""

    def unpadded(match: re.Match[str]) -> str:
        return moment.strftime(f"%{match[1]}").lstrip("0") or "0"

    return moment.strftime(_UNPADDED.sub(unpadded, pattern))


def in_zone(moment: datetime, zone: str) -> datetime:
    """The same moment on the clocks of another time zone, such as `America/Chicago`."""
    from zoneinfo import ZoneInfo

    return moment.astimezone(ZoneInfo(zone))


def to_json(value: Any) -> str:
    """The value as JSON text."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def lines(text: str) -> list[str]:
    """The lines of a text, without their ends; a line break at the very end makes no empty line."""
    return text.splitlines()


def default(value: Any, instead: Any = "") -> Any:
    """The value, or `instead` where there is none (it is undefined, null or empty)."""
    from jinja2 import Undefined

    return instead if isinstance(value, Undefined) or value is None or value == "" else value


def join(values: list[Any], separator: str = "") -> str:
    """The items as one text."""
    return separator.join(str(value) for value in values)


def replace(text: str, old: str, new: str) -> str:
    """The text with every `old` made `new`."""
    return str(text).replace(old, new)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    unit: _timedelta(unit) for unit in ("seconds", "minutes", "hours", "days", "weeks")
}
FILTERS: dict[str, Callable[..., Any]] = {
    "date": date,
    "default": default,
    "escape": lambda value: html.escape(str(value)),
    "first": lambda values: values[0],
    "float": float,
    "in_zone": in_zone,
    "int": int,
    "join": join,
    "json": to_json,
    "last": lambda values: values[-1],
    "length": len,
    "lines": lines,
    "lower": lambda value: str(value).lower(),
    "parse_json": json.loads,
    "replace": replace,
    "string": str,
    "trim": lambda value: str(value).strip(),
    "upper": lambda value: str(value).upper(),
}
