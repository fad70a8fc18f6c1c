"""What differs between two values of plain data, place by place."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NAMING = ("id", "name")
"""Keys that say which item of a list a map is, the first that all of them have."""

Path = tuple[str | int, ...]
"""Keys, names of items, and indices where items have no names."""


class Absent:
    """The type of `ABSENT`."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = Absent()
"""What stands where there is nothing: not even null."""


@dataclass(frozen=True)
class Difference:
    """One place whose values differ; `ABSENT` on one side where it was added or removed."""

    path: Path
    before: Any
    after: Any

    @property
    def key(self) -> str:
        """The place as people write it: `steps.load.retries`."""
        return ".".join(map(str, self.path))


def differences(before: Any, after: Any, path: Path = ()) -> list[Difference]:
    """Every place whose values differ.

    Maps are compared key by key, and lists of maps that have an `id` or a `name` item by item, whatever their
    order; where those that both have stand in another order, the lists of names differ too. Other lists are one
    value.
    """
    return list(_differences(before, after, path))


def _differences(before: Any, after: Any, path: Path) -> Iterator[Difference]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _of_maps(before, after, path)
        return
    named = _named(before, after)
    if named is None:
        if not is_same(before, after):
            yield Difference(path, before, after)
        return
    old, new = named
    yield from _of_maps(old, new, path)
    if [name for name in old if name in new] != [name for name in new if name in old]:
        yield Difference(path, list(old), list(new))


def _of_maps(before: Mapping[str, Any], after: Mapping[str, Any], path: Path) -> Iterator[Difference]:
    for key in dict.fromkeys([*before, *after]):
        yield from _differences(before.get(key, ABSENT), after.get(key, ABSENT), (*path, key))


def _named(before: Any, after: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Two lists as maps by the names of their items; None where an item has none, or two have the same."""
    if not isinstance(before, list) or not isinstance(after, list) or not (before or after):
        return None
    for key in NAMING:
        found = _by(key, before), _by(key, after)
        if found[0] is not None and found[1] is not None:
            return found[0], found[1]
    return None


def _by(key: str, items: Sequence[Any]) -> dict[str, Any] | None:
    named = {item[key]: item for item in items if isinstance(item, Mapping) and isinstance(item.get(key), str)}
    return named if len(named) == len(items) else None


def is_same(one: Any, other: Any) -> bool:
    """Whether two values are the same to a reader: `1` is `1.0`, but not `true`."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(is_same(item, other[key]) for key, item in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)
