"""Giving expressions their values: what is known now is folded in, the rest waits for the run."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from flowmill.expressions.language import RESULT_LIMIT, ExpressionError, Parsed, Path, parse, path_of
from flowmill.expressions.template import Expression, Piece, Unclosed, has_expression, join, split
from flowmill.expressions.times import given
from flowmill_tasks.fields import Folded, Plain, Rendered, Unrendered, exact_value

Scope = dict[str, Any]
Escape = Callable[[str], str]
"""What makes a value harmless in the language of the text that it is put into, such as HTML."""


def map_texts(value: Any, change: Callable[[str], Any]) -> Any:
    """A copy of nested maps and lists with every text replaced by `change(text)`."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: map_texts(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return [map_texts(item, change) for item in value]
    return value


def fold(value: Any, scope: Scope, inline: Callable[[Path], Any], escape: Escape | None = None) -> Any:
    """The value with everything put in that is known before the run; the rest becomes `Unrendered` text.

    Args:
        scope: the values that are known now.
        inline: the value of another key for a reference that names one (`steps.load.image`), or None.
        escape: applied to every text that an expression gives.

    Raises:
        ExpressionError: an expression whose names are all known cannot be evaluated.
    """
    return map_texts(value, lambda text: _fold_text(text, scope, inline, escape) if has_expression(text) else text)


def _fold_text(text: str, scope: Scope, inline: Callable[[Path], Any], escape: Escape | None) -> Any:
    pieces = split(text)
    if isinstance(pieces, Unclosed):
        return text
    folded = [piece if isinstance(piece, str) else _fold_piece(piece, scope, inline, escape) for piece in pieces]
    if sum(len(piece) for piece in folded if isinstance(piece, str)) > RESULT_LIMIT:
        raise ExpressionError(f"yields more than {RESULT_LIMIT:,} characters")
    if len(folded) == 1 and not isinstance(folded[0], Expression):
        return map_texts(_marked(folded[0], Folded), _settled)
    joined = tuple(piece if isinstance(piece, Expression) else as_text(piece) for piece in folded)
    flat = _flatten(joined)
    if any(isinstance(piece, Expression) for piece in flat):
        return Unrendered(join(flat))
    return _settled(Folded("".join(piece for piece in flat if isinstance(piece, str))))


def _settled(text: str) -> str:
    """Text that needs no evaluation. One that happens to hold `${{` is escaped, or the run would evaluate it."""
    return Unrendered(join((text,))) if has_expression(text) and not isinstance(text, Unrendered) else text


def _flatten(pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """Take apart what `inline` put in: a piece that is itself text with expressions."""
    flat: list[Piece] = []
    for piece in pieces:
        inner = split(piece) if isinstance(piece, Unrendered) else None
        flat += inner if isinstance(inner, tuple) else [piece]
    return tuple(flat)


def _fold_piece(piece: Expression, scope: Scope, inline: Callable[[Path], Any], escape: Escape | None) -> Any:
    parsed = parse(piece.source)
    if not isinstance(parsed, Parsed):
        return piece
    keys = {path: value for path in parsed.references if (value := inline(path)) is not None}
    alone = path_of(parsed.tree)
    if alone in keys:
        return _escaped(keys[alone], escape)
    known = all(path[0] in scope or (path in keys and is_known(keys[path])) for path in parsed.references)
    return _escaped(parsed.evaluate({**scope, **nested(keys)}), escape) if known else piece


def is_known(value: Any) -> bool:
    """Whether nothing in a folded value waits for the run."""
    if isinstance(value, dict | list):
        return all(map(is_known, value.values() if isinstance(value, dict) else value))
    return not isinstance(value, Unrendered)


def nested(values: Mapping[Path, Any]) -> dict[str, Any]:
    """Values by their path -> maps of maps, in which an expression finds them."""
    found: dict[str, Any] = {}
    # The shortest first: what lies below one that is there already is in its value.
    for path in sorted(values, key=len):
        inner: Any = found
        for word in path[:-1]:
            inner = inner.setdefault(word, {})
        inner.setdefault(path[-1], exact_value(values[path]))
    return found


def _escaped(value: Any, escape: Escape | None) -> Any:
    """What an expression gives, each text in it escaped; expressions that are in it stay what they are."""
    if escape is None:
        return value

    def change(text: str) -> str:
        pieces = split(text) if isinstance(text, Unrendered) else None
        if not isinstance(pieces, tuple):
            return escape(text)
        return Unrendered(join(tuple(escape(piece) if isinstance(piece, str) else piece for piece in pieces)))

    return map_texts(value, change)


def marked(value: Any) -> Any:
    """Values of a plan with the texts that hold expressions marked as such again; JSON does not keep the mark."""
    return map_texts(value, lambda text: Unrendered(text) if has_expression(text) else text)


def render(value: Any, scope: Scope, *, escape: Escape | None = None) -> Any:
    """The value with every `Unrendered` text evaluated.

    A text that is one expression keeps the type of its result; otherwise the results are put in as text.

    Args:
        escape: applied to every text that an expression gives.

    Raises:
        ExpressionError: a name has no value; the message holds no value.
    """

    def change(text: str) -> Any:
        return _render_text(text, scope, escape) if isinstance(text, Unrendered) else text

    return map_texts(value, change)


def _render_text(text: str, scope: Scope, escape: Escape | None) -> Any:
    pieces = split(text)
    if isinstance(pieces, Unclosed):
        raise ExpressionError("an expression is not closed with `}}`")
    values = [_evaluate(piece.source, scope) if isinstance(piece, Expression) else piece for piece in pieces]
    if len(values) == 1:
        return _marked(_escaped(values[0], escape), Rendered)
    shown = (
        _escaped(as_text(value), escape) if isinstance(piece, Expression) else value
        for piece, value in zip(pieces, values, strict=True)
    )
    return Rendered("".join(shown))


def _evaluate(source: str, scope: Scope) -> Any:
    parsed = parse(source)
    if not isinstance(parsed, Parsed):
        raise ExpressionError(parsed[0].message)
    value = parsed.evaluate(scope)
    if value is None:
        raise ExpressionError(f"`{source.strip()}` has no value (null)")
    return value


def opened(value: Any) -> Any:
    """A text that an expression gave and that is the JSON of a map, as that map: many stores keep nothing but texts."""
    if type(value) is not Rendered:
        return value
    try:
        keys = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return _marked(keys, Rendered) if isinstance(keys, dict) else value


def _marked(value: Any, mark: type[Plain]) -> Any:
    """The result of an expression, its texts marked as such so that they may become numbers."""
    if isinstance(value, Unrendered):
        return value
    if isinstance(value, Mapping):
        return {str(key): _marked(item, mark) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_marked(item, mark) for item in value]
    return value if isinstance(value, bool | int | float) or value is None else mark(as_text(value))


def as_text(value: Any) -> str:
    """A value as it stands in the middle of a text: times and lengths of time in ISO 8601, maps and lists as JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        raise ExpressionError("an expression inside a text has no value (null)")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping | list | tuple):
        return json.dumps(value, ensure_ascii=False, sort_keys=True, default=lambda inner: str(given(inner)))
    return str(given(value))
