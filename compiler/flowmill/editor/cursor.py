"""Where in a document somebody is typing, found from indentation alone: while one types it is seldom YAML."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from flowmill.diagnostics import Route

_DASH = re.compile(r"-(?:[ \t]+|$)")
_KEY = re.compile(r"""(?P<quote>["']?)(?P<key>[\w.-]+)(?P=quote)\s*:(?:\s+|$)""")
_PAIR = re.compile(r"""["']?(?P<key>[\w.-]+)["']?\s*:\s*(?P<value>[^,}\]]*)""")
_WORD = re.compile(r"[\w.@/-]*$")
_OPEN = re.compile(r"\$\{\{(?P<source>(?:(?!\}\}).)*)$")


@dataclass(frozen=True)
class Cursor:
    """A place between two characters of a document.

    Attributes:
        route: the map or the list that it is in.
        key: the key whose value is being written; None where a key is, or an item of a list.
        word: what has been typed of the word.
        expression: what stands before it since the last `${{`; None outside of expressions.
        siblings: the keys of the map with the texts behind them.
    """

    route: Route
    key: str | None
    word: str
    expression: str | None
    siblings: dict[str, str]


@dataclass(frozen=True)
class _Entry:
    """A dash of a list or a key of a map, and its column from 0."""

    column: int
    key: str | None
    value: str = ""


def cursor_at(text: str, line: int, column: int) -> Cursor:
    """Where the place at a line and a column, both from 1, is."""
    lines = text.split("\n")
    whole = lines[line - 1] if line <= len(lines) else ""
    before = whole[: column - 1]
    opened = _OPEN.search(before)
    head = before[: opened.start()] if opened else before
    block, inner, key = _in_flow_style(head)
    entries = list(_entries(block))
    dashes = [it for it in entries if it.key is None]
    own = next((it.key for it in entries if it.key is not None), None)
    route = [*_parents(lines[: line - 1], block, dashes), *[0] * (len(dashes) - 1)]
    in_brackets = block != head
    route += [own, *inner] if in_brackets and own is not None else inner
    siblings = _pairs(whole, len(block)) if in_brackets else _siblings(lines, line - 1, _key_column(block))
    word = _WORD.search(before)
    value_of = key if in_brackets else own
    return Cursor(tuple(route), value_of, word[0] if word else "", opened["source"] if opened else None, siblings)


def _entries(line: str) -> Iterator[_Entry]:
    """The dashes of a line, and the first key behind them."""
    position = len(line) - len(line.lstrip(" "))
    while dash := _DASH.match(line, position):
        yield _Entry(position, None)
        position = dash.end()
    if found := _KEY.match(line, position):
        yield _Entry(position, found["key"], line[found.end() :].strip())


def _key_column(block: str) -> int:
    """The column that a key on this line has, or would have."""
    position = len(block) - len(block.lstrip(" "))
    while dash := _DASH.match(block, position):
        position = dash.end()
    return position


def _parents(above: list[str], block: str, dashes: list[_Entry]) -> list[str | int]:
    """The keys and indices that lead to a line, from the lines above it."""
    route: list[str | int] = []
    # While the items of a list are counted, the column of their dashes; else None.
    list_column = dashes[0].column if dashes else None
    limit, count = _key_column(block), 0
    for entry in _upwards(above):
        if list_column is None:
            if entry.column < limit and entry.key is not None:
                route.insert(0, entry.key)
                limit = entry.column
            elif entry.column < limit:
                list_column, count = entry.column, 0
        elif entry.key is None and entry.column == list_column:
            count += 1
        elif entry.column <= list_column and entry.key is not None:
            route[:0] = [entry.key, count]
            list_column, limit = None, entry.column
        elif entry.column < list_column:
            route.insert(0, count)
            list_column, count = entry.column, 0
    return route if list_column is None else [count, *route]


def _upwards(lines: Iterable[str]) -> Iterator[_Entry]:
    """The entries of lines from the last to the first, each line from right to left."""
    for line in reversed(list(lines)):
        if line.strip() and not line.lstrip().startswith("#"):
            yield from reversed(list(_entries(line)))


def _siblings(lines: list[str], number: int, column: int) -> dict[str, str]:
    """The keys of the map that a line belongs to, whose keys have this column."""
    found: dict[str, str] = {}
    for line in [*reversed(lines[:number])]:
        if not _collect(line, column, found) or (_DASH.match(line.lstrip(" ")) and _key_column(line) == column):
            break
    if not _DASH.match(lines[number].lstrip(" ")) or _key_column(lines[number]) == column:
        _collect(lines[number], column, found)
    for line in lines[number + 1 :]:
        if (_DASH.match(line.lstrip(" ")) and _key_column(line) <= column) or not _collect(line, column, found):
            break
    return found


def _collect(line: str, column: int, found: dict[str, str]) -> bool:
    """Add the key of a line if it has this column; whether the map goes on there."""
    if not line.strip() or line.lstrip().startswith("#"):
        return True
    key = next((it for it in _entries(line) if it.key is not None), None)
    if key is not None and key.column == column:
        found[str(key.key)] = key.value
    return _key_column(line) >= column


def _in_flow_style(head: str) -> tuple[str, list[str | int], str | None]:
    """What stands before the first bracket that is still open, the route inside of it, and the key at its end."""
    opened: list[tuple[int, str]] = []
    quote = ""
    for position, character in enumerate(head):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'" and head[:position].rstrip()[-1:] in (":", ",", "[", "{", "-", ""):
            quote = character
        elif character in "{[":
            opened.append((position, character))
        elif character in "}]" and opened:
            opened.pop()
    if not opened:
        return head, [], None
    route: list[str | int] = []
    for (position, bracket), end in zip(opened, [*(place for place, _ in opened[1:]), len(head)], strict=True):
        step = _last_step(head[position + 1 : end], bracket)
        route.append(step if step is not None else "")
    last = route.pop()
    key = last if isinstance(last, str) and last else None
    return head[: opened[0][0]], [*route, last] if isinstance(last, int) else route, key


def _last_step(inside: str, bracket: str) -> str | int | None:
    """The key or the index that the end of a bracket's content is behind."""
    if bracket == "[":
        return inside.count(",")
    last = inside.rpartition(",")[2]
    found = _PAIR.match(last.strip())
    return found["key"] if found else None


def _pairs(line: str, start: int) -> dict[str, str]:
    return {found["key"]: found["value"].strip() for found in _PAIR.finditer(line, start)}
