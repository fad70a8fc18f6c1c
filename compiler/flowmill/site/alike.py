"""What several environments have in common is shown once."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

Value = TypeVar("Value")


@dataclass(frozen=True)
class Alike(Generic[Value]):
    """A value, and the environments that have it."""

    value: Value
    environments: tuple[str, ...]


def alike(values: Iterable[tuple[str, Value]]) -> list[Alike[Value]]:
    """Each value once, with all environments that have it, in the order in which they come."""
    found: list[tuple[Value, list[str]]] = []
    for environment, value in values:
        same = next((names for known, names in found if known == value), None)
        if same is None:
            found.append((value, [environment]))
        else:
            same.append(environment)
    return [Alike(value, tuple(names)) for value, names in found]
