"""Completion: keys with what they are for, names of things, and what expressions may use."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from lsprotocol import types

from flowmill.editor import names, schemas
from flowmill.editor.cursor import Cursor, cursor_at
from flowmill.editor.snapshot import Snapshot, kind_of
from flowmill.expressions.functions import FILTERS, FUNCTIONS

_PATH = re.compile(r"(?P<filter>\|\s*)?(?P<path>[\w-]+(?:\.[\w-]*)*)?$")
TRIGGERS = [".", " ", "|", "{", "[", "-"]
"""Characters after which an editor asks by itself."""


def complete(snapshot: Snapshot, path: Path, text: str, line: int, column: int) -> list[types.CompletionItem]:
    """What may be typed at a line and a column, both from 1."""
    cursor = cursor_at(text, line, column)
    if cursor.expression is not None:
        return list(_in_expression(snapshot, path, cursor))
    if cursor.key is None and not (cursor.route and isinstance(cursor.route[-1], int)):
        return list(_keys(path, cursor))
    values = list(_values(snapshot, path, cursor))
    is_item = cursor.key is None
    return values or (list(_keys(path, cursor)) if is_item else [])


def _keys(path: Path, cursor: Cursor) -> Iterator[types.CompletionItem]:
    """The keys that are not there yet."""
    for key, schema in schemas.keys_at(kind_of(path), cursor.route, cursor.siblings).items():
        if key not in cursor.siblings or key == cursor.word:
            yield types.CompletionItem(
                label=key,
                kind=types.CompletionItemKind.Property,
                documentation=schema.get("description"),
                insert_text=f"{key}: ",
            )


def _values(snapshot: Snapshot, path: Path, cursor: Cursor) -> Iterator[types.CompletionItem]:
    route, key = cursor.route, cursor.key
    if key is None:
        # An item of a list stands for the key that the list is the value of.
        named = [place for place, step in enumerate(route) if isinstance(step, str)]
        if not named:
            return
        route, key = route[: named[-1]], str(route[named[-1]])
    yield from _items(names.named(snapshot, path, route, key), types.CompletionItemKind.Reference)
    schema = schemas.keys_at(kind_of(path), route, cursor.siblings).get(key, {})
    yield from _items(schemas.choices(schema), types.CompletionItemKind.EnumMember)


def _items(words: Iterable[str], kind: types.CompletionItemKind) -> Iterator[types.CompletionItem]:
    for word in words:
        yield types.CompletionItem(label=word, kind=kind)


def _in_expression(snapshot: Snapshot, path: Path, cursor: Cursor) -> Iterator[types.CompletionItem]:
    found = _PATH.search(cursor.expression or "")
    words = (found["path"] or "").split(".") if found else [""]
    if found and found["filter"] and len(words) == 1:
        yield from _items(sorted(FILTERS), types.CompletionItemKind.Function)
        return
    above = words[:-1]
    if above and above[0] == "secrets":
        yield from _items(sorted(names.secrets(snapshot)) if len(above) == 1 else [], types.CompletionItemKind.Variable)
        return
    shape = names.inside(names.shape_at(snapshot, path, cursor.route, cursor.key), above)
    yield from _items(names.attributes(shape), types.CompletionItemKind.Variable)
    if not above:
        yield from _items(sorted(FUNCTIONS), types.CompletionItemKind.Function)
