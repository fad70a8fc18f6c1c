"""The functions and filters of the expression language: pure, total on their documented input, bounded."""

from collections.abc import Callable
from typing import Any

from flowmill.expressions import list_filters, text_filters, time_filters
from flowmill.expressions.times import LENGTHS, TIME_ATTRIBUTES

__all__ = ["FILTERS", "FUNCTIONS", "TIME_ATTRIBUTES"]

FUNCTIONS: dict[str, Callable[..., Any]] = {**LENGTHS}
FILTERS: dict[str, Callable[..., Any]] = {
    "containing": text_filters.containing,
    "date": time_filters.date,
    "default": list_filters.default,
    "ending_with": text_filters.ending_with,
    "escape": text_filters.escape,
    "first": list_filters.first,
    "float": text_filters.to_float,
    "floor": time_filters.floor,
    "html_lines": text_filters.html_lines,
    "in_zone": time_filters.in_zone,
    "int": text_filters.to_int,
    "join": list_filters.join,
    "json": text_filters.to_json,
    "keys": list_filters.keys,
    "last": list_filters.last,
    "last_line": text_filters.last_line,
    "length": list_filters.length,
    "lines": text_filters.lines,
    "lower": lambda value: str(value).lower(),
    "map": list_filters.map_attribute,
    "markdown_escape": text_filters.markdown_escape,
    "max": list_filters.largest,
    "min": list_filters.smallest,
    "parse_json": text_filters.parse_json,
    "removeprefix": text_filters.removeprefix,
    "removesuffix": text_filters.removesuffix,
    "replace": text_filters.replace,
    "reverse": list_filters.reverse,
    "round": list_filters.rounded,
    "slack_escape": text_filters.slack_escape,
    "sort": list_filters.sort,
    "split": text_filters.split,
    "starting_with": text_filters.starting_with,
    "string": lambda value: str(value),
    "sum": list_filters.total,
    "time": time_filters.time,
    "trim": lambda value: str(value).strip(),
    "unique": list_filters.unique,
    "upper": lambda value: str(value).upper(),
    "values": list_filters.values,
}
