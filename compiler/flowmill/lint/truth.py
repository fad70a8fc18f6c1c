"""Whether a condition can be true at all, and whether it can be false: over every state that a run can be in.

A condition is taken apart at `and`, `or` and `not`; each part that is left is true or false on its own, except that
`success()` and `failure()` are opposites, that what is known before the run has its value, and that a comparison
with what a value can never be is false.
"""

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from jinja2 import nodes

from flowmill.expressions.language import Parsed, parse, path_of
from flowmill.planning.plan import ParameterPlan
from flowmill.running.outcome import State

PARTS_AT_MOST = 8
"""Of a condition with more parts nothing is said: each doubles the work."""
_STATUS = ("success", "failure")


@dataclass(frozen=True)
class Known:
    """What is known before the run.

    Attributes:
        constants: values by name.
        parameters: what values a parameter can have, by name.
        can_fail: whether anything before the condition can have failed.
        can_succeed: whether a run can get there without a failure.
    """

    constants: Mapping[str, Any]
    parameters: Mapping[str, ParameterPlan]
    can_fail: bool = True
    can_succeed: bool = True


def possible_values(source: str, known: Known) -> frozenset[bool]:
    """What the condition can come to: true, false or both; both as well where nothing can be said."""
    parsed = parse(source)
    if not isinstance(parsed, Parsed):
        return frozenset((True, False))
    parts = {repr(part): part for part in _parts(parsed.tree) if _status(part) is None}
    choices = {text: _values(part, known) for text, part in parts.items()}
    if len(choices) > PARTS_AT_MOST:
        return frozenset((True, False))
    found = set()
    for failed in _failed(known):
        for values in product(*choices.values()):
            found.add(_truth(parsed.tree, dict(zip(choices, values, strict=True)), failed))
    return frozenset(found) or frozenset((True, False))


def _failed(known: Known) -> Iterator[bool]:
    if known.can_succeed:
        yield False
    if known.can_fail:
        yield True


def _parts(tree: nodes.Node) -> Iterator[nodes.Node]:
    if isinstance(tree, nodes.And | nodes.Or):
        yield from _parts(tree.left)
        yield from _parts(tree.right)
    elif isinstance(tree, nodes.Not):
        yield from _parts(tree.node)
    else:
        yield tree


def _truth(tree: nodes.Node, values: Mapping[str, bool], failed: bool) -> bool:
    if isinstance(tree, nodes.And):
        return _truth(tree.left, values, failed) and _truth(tree.right, values, failed)
    if isinstance(tree, nodes.Or):
        return _truth(tree.left, values, failed) or _truth(tree.right, values, failed)
    if isinstance(tree, nodes.Not):
        return not _truth(tree.node, values, failed)
    status = _status(tree)
    return values[repr(tree)] if status is None else (failed if status == "failure" else not failed)


def _status(tree: nodes.Node) -> str | None:
    """`success` or `failure`, where the part is a call of it."""
    name = _called(tree)
    return name if name in _STATUS else None


def _values(part: nodes.Node, known: Known) -> tuple[bool, ...]:
    if _called(part) == "always":
        return (True,)
    value = _value(part, known.constants)
    if isinstance(value, bool):
        return (value,)
    return (False,) if _never_equal(part, known) else (True, False)


def _called(part: nodes.Node) -> str | None:
    return part.node.name if isinstance(part, nodes.Call) and isinstance(part.node, nodes.Name) else None


class _Unknown:
    """What stands for a value that only the run knows."""


_UNKNOWN = _Unknown()
_COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "lteq": operator.le,
    "gt": operator.gt,
    "gteq": operator.ge,
    "in": lambda one, other: one in other,
    "notin": lambda one, other: one not in other,
}


def _value(node: nodes.Node, constants: Mapping[str, Any]) -> Any:
    """The value of a constant, of a name that is known, or of a comparison of such."""
    if isinstance(node, nodes.Const):
        return node.value
    if isinstance(node, nodes.List | nodes.Tuple):
        items = [_value(item, constants) for item in node.items]
        return _UNKNOWN if _UNKNOWN in items else items
    if isinstance(node, nodes.Compare) and len(node.ops) == 1:
        return _compared(node, constants)
    found: Any = constants
    for word in path_of(node) or ("",):
        found = found.get(word, _UNKNOWN) if isinstance(found, Mapping) else _UNKNOWN
    return found


def _compared(node: nodes.Compare, constants: Mapping[str, Any]) -> Any:
    one, other = _value(node.expr, constants), _value(node.ops[0].expr, constants)
    if isinstance(one, _Unknown) or isinstance(other, _Unknown):
        return _UNKNOWN
    try:
        return bool(_COMPARISONS[node.ops[0].op](one, other))
    except TypeError:
        return _UNKNOWN


def _never_equal(part: nodes.Node, known: Known) -> bool:
    """Whether it asks if a value is one that the value can never be."""
    if not isinstance(part, nodes.Compare) or len(part.ops) != 1 or part.ops[0].op not in ("eq", "in"):
        return False
    path, wanted = path_of(part.expr), _value(part.ops[0].expr, known.constants)
    if path is None or isinstance(wanted, _Unknown):
        return False
    values = wanted if isinstance(wanted, list) else [wanted]
    return bool(values) and all(_is_outside(path, value, known) for value in values)


def _is_outside(path: tuple[str, ...], value: Any, known: Known) -> bool:
    if len(path) == 3 and path[0] == "steps" and path[2] == "state":
        return value not in set(State)
    parameter = known.parameters.get(path[1]) if len(path) == 2 and path[0] == "parameters" else None
    return parameter is not None and _cannot_be(parameter, value)


def _cannot_be(parameter: ParameterPlan, value: Any) -> bool:
    if parameter.choices is not None and value not in parameter.choices:
        return True
    if parameter.type in ("integer", "number"):
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return not is_number or _out_of_bounds(parameter, value)
    return isinstance(value, bool) if parameter.type == "string" else False


def _out_of_bounds(parameter: ParameterPlan, value: float) -> bool:
    below = parameter.minimum is not None and value < parameter.minimum
    return below or (parameter.maximum is not None and value > parameter.maximum)
