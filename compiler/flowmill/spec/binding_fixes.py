"""Edits for what binding has found: the name of a key that is not known, a value that is only spelt wrong."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from flowmill.corrections import certain, renamed, respelt
from flowmill.diagnostics import Part, Route, RouteEdit
from flowmill.suggest import is_foreign
from flowmill_tasks.fields import Plain

_FLAGS = {
    **dict.fromkeys(("true", "yes", "on", "y"), "true"),
    **dict.fromkeys(("false", "no", "off", "n"), "false"),
}
_NUMBERS = re.compile(r"[-+]?[0-9]{1,30}(\.[0-9]{1,30})?")


def fix_of_key(route: Route, value: Any, owners: Mapping[str, type[BaseModel]]) -> tuple[RouteEdit, ...]:
    """The edit of a key that is not known; a word of another tool only where its value fits the key we have.

    Args:
        owners: the keys that may stand there, and the model of each.
    """
    key = str(route[-1])
    name = renamed(key, owners)
    if name is None or (is_foreign(key, name) and not _fits(owners[name], name, value)):
        return ()
    return (RouteEdit(route, name, at_key=True),)


def fix_of_value(detail: ErrorDetails, route: Route, written: Any, choices: Iterable[str]) -> tuple[RouteEdit, ...]:
    """The edit of a value that a person can read in one way only; what an expression gave is not written there."""
    if type(written) not in (str, Plain):
        return ()
    spelt = _spelt(detail["type"], written, choices)
    if spelt is not None:
        return (RouteEdit(route, spelt, part=Part(0, len(written))),)
    bare = _bare(detail["type"], written)
    return (RouteEdit(route, bare),) if bare is not None else ()


def _spelt(kind: str, written: str, choices: Iterable[str]) -> str | None:
    """What to write inside of the quotes, if there are any."""
    if kind == "literal_error":
        return certain(written, choices)
    if kind == "bad_name":
        return written.lower() if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}", written) else None
    return respelt(written) if kind == "duration" else None


def _bare(kind: str, written: str) -> str | None:
    """What to write without quotes: a number, or true or false in whatever words."""
    if kind.startswith("bool"):
        return _FLAGS.get(written.lower())
    is_number = _NUMBERS.fullmatch(written) and ("." not in written or kind.startswith("float"))
    return written if kind.startswith(("int", "float")) and is_number and type(written) is str else None


def _fits(model: type[BaseModel], key: str, value: Any) -> bool:
    """Whether a key may have a value, whatever else is missing."""
    given: Mapping[str, Any] = {key: value}
    try:
        model.model_validate(given)
    except ValidationError as error:
        return all(it["loc"][:1] != (key,) for it in error.errors(include_url=False))
    return True
