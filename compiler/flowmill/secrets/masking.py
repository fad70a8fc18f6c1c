"""Values as they may be shown: what may be a credential is `***`, also where an expression has put it in."""

import re
from collections.abc import Iterator, Mapping
from functools import reduce
from typing import Any

from flowmill.diagnostics import Route
from flowmill.expressions.language import Parsed, Path, parse
from flowmill.expressions.template import Expression, has_expression, split
from flowmill.reading.credentials import CREDENTIAL_VALUE, looks_like_credential

MASK = "***"
_ONLY_NAMES = re.compile(r"\s*[\w.]+(\s*\|\s*\w+)*\s*")
"""An expression in which no text is written out."""


class Masking:
    """Knows the keys of a flow as they were written, so that a credential is found behind a reference, too."""

    def __init__(self, written: Mapping[str, Any]) -> None:
        self._written = written

    def shown(self, value: Any, route: Route) -> Any:
        """A value as it was written, without what may be a credential."""
        if isinstance(value, dict):
            return {key: self.shown(item, (*route, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self.shown(item, route) for item in value]
        if value is None or (isinstance(value, str) and _only_refers(value)):
            return value
        is_secret = any(isinstance(key, str) and looks_like_credential(key) for key in route)
        return MASK if is_secret or CREDENTIAL_VALUE.search(str(value)) else value

    def became(self, folded: Any, written: Any, route: Route) -> Any:
        """What became of a value, without the credentials that its expressions have put in."""
        if folded != written and (CREDENTIAL_VALUE.search(str(written)) or self._refers_to_credential(written, set())):
            return MASK
        return self.shown(folded, route)

    def _refers_to_credential(self, written: Any, seen: set[Path]) -> bool:
        paths = set(_references(written)) - seen
        return any(self._is_credential(path, seen | paths) for path in paths if path[0] != "secrets")

    def _is_credential(self, path: Path, seen: set[Path]) -> bool:
        value = value_at(self._written, self._route(path))
        named = any(map(looks_like_credential, path))
        return named or any(map(looks_like_credential, _keys(value))) or self._refers_to_credential(value, seen)

    def _route(self, path: Path) -> Route:
        """Where the value of a name is written; names of a flow itself are its keys."""
        if path[0] == "flow":
            return path[1:]
        if path[0] != "steps" or len(path) == 1:
            return path
        ids = [step.get("id") if isinstance(step, dict) else None for step in value_at(self._written, ("steps",)) or ()]
        return ("steps", ids.index(path[1]), *path[2:]) if path[1] in ids else path


def _only_refers(text: str) -> bool:
    """Whether a text is references and nothing else: they are no secrets, and the most useful thing to see."""
    pieces = split(text) if has_expression(text) else ()
    return (
        isinstance(pieces, tuple)
        and any(isinstance(piece, Expression) for piece in pieces)
        and all(
            _ONLY_NAMES.fullmatch(piece.source) if isinstance(piece, Expression) else not piece.strip()
            for piece in pieces
        )
    )


def _references(value: Any) -> Iterator[Path]:
    """The names that the expressions in a value look up."""
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _references(item)
    pieces = split(value) if isinstance(value, str) and has_expression(value) else ()
    for piece in pieces if isinstance(pieces, tuple) else ():
        parsed = parse(piece.source) if isinstance(piece, Expression) else None
        yield from parsed.references if isinstance(parsed, Parsed) else ()


def _keys(value: Any) -> Iterator[str]:
    """The keys of maps in a value, at any depth."""
    if isinstance(value, dict):
        yield from value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _keys(item)


def value_at(value: Any, route: Route) -> Any:
    """What stands at a route; None where there is nothing."""
    try:
        return reduce(lambda inner, step: inner[step], route, value)
    except (LookupError, TypeError):
        return None
