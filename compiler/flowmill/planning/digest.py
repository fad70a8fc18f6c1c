"""Digests: a short word for a value, the same on every machine and in every version that means the same by it."""

import hashlib
import json
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, get_args, get_origin

from flowmill.planning.plan import Plan

LENGTH = 16
"""Hexadecimal digits of a digest."""
_EMPTY: dict[Any, Any] = {str: "", tuple: (), list: [], dict: {}, bool: False}
_KEPT = object()
"""Equal to no value of a plan."""


def digest_of(value: Any) -> str:
    """The digest of plain data: the first digits of the SHA-256 of its canonical JSON."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:LENGTH]


def plan_digest(plan: Plan) -> str:
    """The digest of what a flow does in an environment; where its spec lies does not count.

    Fields that hold nothing are left out, so a field that plans get later leaves the digests of those that do
    not use it as they were.
    """
    return digest_of(_content(plan))


def _content(value: Any) -> Any:
    """The fields of a dataclass that hold something; the user's own data as it is."""
    if isinstance(value, tuple):
        return [_content(item) for item in value]
    if not is_dataclass(value):
        return value
    held = {field.name: (getattr(value, field.name), _nothing(field)) for field in fields(value) if field.compare}
    return {name: _content(item) for name, (item, nothing) in held.items() if not _is_same(item, nothing)}


def _nothing(field: Field[Any]) -> Any:
    """The one value of a field that says nothing: two of them would give two plans one digest."""
    if field.default is not MISSING:
        return field.default
    if field.default_factory is not MISSING:
        return field.default_factory()
    if field.type is Any or type(None) in get_args(field.type):
        return None
    return _EMPTY.get(get_origin(field.type) or field.type, _KEPT)


def _is_same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)
