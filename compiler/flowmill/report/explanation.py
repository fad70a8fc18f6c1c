"""Where the values of a flow come from, as text and as data."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from flowmill.elaborating.layers import Setting
from flowmill.explain import Fact
from flowmill.report.style import Style, printable

KEY_AT_MOST, VALUE_AT_MOST, RIVAL_AT_MOST = 44, 52, 24
"""Characters of a column; a longer key pushes the others aside, a longer value is cut."""


def table(found: Iterable[Fact], style: Style) -> Iterator[str]:
    """A line for each value: the key, the value, the place that set it, and what it won against."""
    rows = [(fact.key, cut(shown(fact), VALUE_AT_MOST), _origin(fact)) for fact in found]
    keys = min(max((len(key) for key, _, _ in rows), default=0), KEY_AT_MOST)
    values = max((len(value) for _, value, _ in rows), default=0)
    for key, value, origin in rows:
        yield f"{key:<{keys}}  {value:<{values}}  {style.paint(origin, 'dim')}"


def _origin(fact: Fact) -> str:
    if not fact.settings:
        return "default"
    rivals = [f"over {cut(text_of(fact.shown_of(it)), RIVAL_AT_MOST)} ({_place(it)})" for it in fact.settings[1:]]
    return ", ".join([_place(fact.settings[0]), *rivals])


def _place(setting: Setting) -> str:
    return f"{setting.span.path}:{setting.span.line}"


def stories(found: Iterable[Fact], style: Style) -> Iterator[str]:
    """The whole story of each value, with an empty line between two."""
    for number, fact in enumerate(found):
        if number:
            yield ""
        yield style.paint(f"{fact.key} = {shown(fact)}", "bold")
        yield from (f"  {word:<7}  {text}" for word, text in _story(fact))


def _story(fact: Fact) -> Iterator[tuple[str, str]]:
    written = text_of(fact.shown_of(fact.settings[0])) if fact.settings else ""
    if fact.settings and written != shown(fact):
        yield "written", written
    for number, setting in enumerate(fact.settings):
        value = f"{text_of(fact.shown_of(setting))}, set by " if number else ""
        place = f"{_place(setting)}:{setting.span.column}"
        yield "over" if number else "set by", f"{value}{setting.layer.name}, {place}"
    if not fact.settings:
        yield "set by", "nobody: this is the default"
    if fact.model is not None and fact.model.description:
        yield "meaning", fact.model.description


def as_data(fact: Fact) -> dict[str, Any]:
    """The same as a map for JSON."""
    settings = [_setting(fact, setting) for setting in fact.settings]
    return {
        "key": fact.key,
        "value": fact.shown,
        "set_by": settings[0] if settings else None,
        "over": settings[1:],
        "meaning": fact.model.description if fact.model else None,
    }


def _setting(fact: Fact, setting: Setting) -> dict[str, Any]:
    span = setting.span
    place = {"path": span.path, "line": span.line, "column": span.column}
    return {"value": fact.shown_of(setting), "layer": setting.layer.name, **place}


def shown(fact: Fact) -> str:
    """What the value comes to, on one line."""
    return text_of(fact.shown)


def text_of(value: Any) -> str:
    """A value on one line: text as it is, the rest as JSON; nothing as a dash."""
    if value is None or value == "" or value == []:
        return "-"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return printable(text.rstrip("\n"))


def cut(text: str, length: int) -> str:
    """The text, or its beginning with a mark."""
    return text if len(text) <= length else f"{text[: length - 1]}…"
