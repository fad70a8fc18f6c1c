"""Which names an expression may use where, and what is wrong with one that does not exist.

A `Shape` describes a value without having it: `steps.load.stdout` is checked when the spec is validated, long
before there is a `stdout`.
"""

from collections.abc import Iterator, Mapping
from enum import Enum, auto

from flowmill.corrections import certain
from flowmill.expressions.functions import TIME_ATTRIBUTES
from flowmill.expressions.language import STATUS_FUNCTIONS, Parsed, Path
from flowmill.expressions.problem import Problem
from flowmill.suggest import did_you_mean


class Leaf(Enum):
    """What can be said of a value that is not a map with known keys."""

    SCALAR = auto()
    TIME = auto()
    ANYTHING = auto()


Shape = Leaf | Mapping[str, "Shape"]


def problems(parsed: Parsed, shape: Mapping[str, Shape]) -> Iterator[Problem]:
    """A problem for every name in the expression that the shape does not have."""
    for path in parsed.references:
        yield from _first_unknown(parsed, path, shape)


def _first_unknown(parsed: Parsed, path: Path, shape: Shape) -> Iterator[Problem]:
    if len(path) == 1 and path[0] in STATUS_FUNCTIONS and not (isinstance(shape, Mapping) and path[0] in shape):
        message = f"`{path[0]}()` can only be used in the `if` of a step"
        yield Problem("unknown-name", message, parsed.place(path), "how a step ended is `steps.<id>.state`")
        return
    for length, word in enumerate(path, start=1):
        if shape is Leaf.ANYTHING:
            return
        known = TIME_ATTRIBUTES if shape is Leaf.TIME else shape if isinstance(shape, Mapping) else ()
        if word not in known:
            owner = ".".join(path[: length - 1])
            yield Problem(
                "unknown-name",
                _message(owner, word, shape),
                parsed.place(path[:length]),
                _hint(word, owner, shape),
                certain(word, known) or "",
            )
            return
        shape = shape[word] if isinstance(shape, Mapping) else Leaf.SCALAR


def _message(owner: str, word: str, shape: Shape) -> str:
    if not owner:
        return f"there is no name `{word}`"
    if shape is Leaf.SCALAR:
        return f"`{owner}` is a plain value and has no `{word}`"
    return f"`{owner}` has no `{word}`"


def _hint(word: str, owner: str, shape: Shape) -> str:
    if shape is Leaf.TIME:
        return did_you_mean(word, TIME_ATTRIBUTES)
    if isinstance(shape, Mapping) and shape:
        return did_you_mean(word, shape)
    return f"nothing is declared under `{owner}`" if isinstance(shape, Mapping) else ""
