"""What differs between what was expected and what there is, as lines: `- ` expected, `+ ` there, `  ` the same."""

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from flowmill.counted import counted

LINES_AT_MOST = 40
WIDTH = 160
"""Characters of a line."""
_BEFORE = 40
"""Characters shown before the first difference of two long lines."""
_CONTEXT = 3

Lines = tuple[str, ...]


def difference(expected: Any, actual: Any) -> Lines:
    """The lines for two values that are not the same."""
    if isinstance(expected, list) and isinstance(actual, list):
        return _cut(_sequences([shown(item) for item in expected], [shown(item) for item in actual]))
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        return _cut(_maps(expected, actual))
    if isinstance(expected, str) and isinstance(actual, str) and "\n" in expected + actual:
        return _cut(_texts(expected, actual))
    return tuple(_pair("", shown(expected), shown(actual)))


def missing(contained: str, text: str) -> Lines:
    """The lines for a text that does not contain what it should."""
    return _cut([f"- contains {_long(shown(contained))}", *_whole(text)])


def unwanted(contained: str, text: str) -> Lines:
    """The lines for a text that contains what it should not."""
    return _cut([f"- does not contain {_long(shown(contained))}", *_whole(text)])


def shown(value: Any) -> str:
    """A value in one line: a text as it is, unless it is empty or its edges or line breaks would be lost."""
    if isinstance(value, str) and value and value == value.strip() and value.isprintable():
        return value
    if isinstance(value, str | int | float | bool | None | list | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def _whole(text: str) -> list[str]:
    return [f"+ {_long(line)}" for line in text.split("\n")] if text else ["+ (nothing)"]


def _sequences(expected: Sequence[str], actual: Sequence[str]) -> Iterator[str]:
    """The items in order, those that both have once."""
    matcher = difflib.SequenceMatcher(None, expected, actual, autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag == "equal":
            yield from (f"  {_long(item)}" for item in expected[i1:i2])
            continue
        for old, new in zip_longest(expected[i1:i2], actual[j1:j2]):
            yield from _pair("", old, new)


def _maps(expected: Mapping[str, Any], actual: Mapping[str, Any]) -> Iterator[str]:
    """The keys that differ, in alphabetical order."""
    for key in sorted({*expected, *actual}):
        old = shown(expected[key]) if key in expected else None
        new = shown(actual[key]) if key in actual else None
        if old != new:
            yield from _pair(f"{key}: ", old, new)


def _texts(expected: str, actual: str) -> Iterator[str]:
    """A unified diff without its header."""
    lines = difflib.unified_diff(expected.split("\n"), actual.split("\n"), n=_CONTEXT, lineterm="")
    for number, line in enumerate(lines):
        if number >= 2:
            yield line if line.startswith("@@") else f"{line[:1]} {_long(line[1:])}"


def _pair(label: str, old: str | None, new: str | None) -> Iterator[str]:
    """Two lines that differ, both cut at the same place; one of them may be missing."""
    start = _first_difference(old, new) if old is not None and new is not None else 0
    for sign, text in (("-", old), ("+", new)):
        if text is not None:
            yield f"{sign} {label}{_long(text, start)}"


def _first_difference(old: str, new: str) -> int:
    return next((place for place, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))


def _long(text: str, important: int = 0) -> str:
    """The text, or the part of it around what is important."""
    if len(text) <= WIDTH:
        return text
    first = max(0, min(important - _BEFORE, len(text) - WIDTH))
    last = first + WIDTH
    return f"{'…' if first else ''}{text[first:last]}{'…' if last < len(text) else ''}"


def _cut(lines: Iterable[str]) -> Lines:
    found = list(lines)
    more = len(found) - LINES_AT_MOST
    return (*found[:LINES_AT_MOST], f"  … {counted(more, 'more line')}") if more > 0 else tuple(found)
