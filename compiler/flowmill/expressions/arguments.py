"""What can be said of a function's arguments when they are read: how many there are, and what constants hold."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from inspect import Parameter, Signature, signature
from typing import Any

from jinja2 import nodes

from flowmill.diagnostics import Part
from flowmill.expressions.date_format import pieces
from flowmill.expressions.functions import FILTERS, FUNCTIONS
from flowmill.expressions.list_filters import digits_named
from flowmill.expressions.refusal import Refusal
from flowmill.expressions.text_filters import separator_named
from flowmill.expressions.time_filters import unit_named, zone_named
from flowmill.expressions.times import LENGTHS

_CONSTANTS: Mapping[str, tuple[str, Callable[[Any], object]]] = {
    "date": ("pattern", pieces),
    "floor": ("unit", unit_named),
    "in_zone": ("zone", zone_named),
    "round": ("digits", digits_named),
    "split": ("separator", separator_named),
    "time": ("zone", zone_named),
    **{name: ("count", length) for name, length in LENGTHS.items()},
}
"""Whose argument is looked at, by its name, and what refuses one that does not fit, as it would in the run."""
_SHOWN = 80


@dataclass(frozen=True)
class Unfit:
    """What is wrong with an argument, as offsets into the source of the expression."""

    message: str
    part: Part
    hint: str = ""


def unfit_arguments(node: nodes.Node, source: str) -> Iterator[Unfit]:
    """What is wrong with the arguments of a filter or a function that there is."""
    if isinstance(node, nodes.Filter) and node.name in FILTERS and node.node:
        yield from _unfit(node.name, FILTERS[node.name], [node.node, *node.args], node, source)
    elif isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name in FUNCTIONS:
        yield from _unfit(node.node.name, FUNCTIONS[node.node.name], node.args, node, source)


def _unfit(
    name: str, function: Callable[..., Any], args: list[nodes.Expr], node: nodes.Filter | nodes.Call, source: str
) -> Iterator[Unfit]:
    if node.dyn_args or node.dyn_kwargs:
        return
    parameters = _signature(function)
    try:
        given = parameters.bind(*args, **{str(keyword.key): keyword.value for keyword in node.kwargs}).arguments
    except TypeError as error:
        problem = str(error).replace("'", "`")
        yield Unfit(f"`{name}`: {problem}", _place(source, name, ""), f"write `{_usage(name, parameters, node)}`")
        return
    parameter, check = _CONSTANTS.get(name, ("", repr))
    constant = given.get(parameter)
    if isinstance(constant, nodes.Const):
        yield from _refused(constant.value, check, name, source)


@lru_cache(maxsize=256)
def _signature(function: Callable[..., Any]) -> Signature:
    return signature(function)


def _refused(value: Any, check: Callable[[Any], object], name: str, source: str) -> Iterator[Unfit]:
    shown = str(value)[:_SHOWN]
    try:
        check(value)
    except Refusal as refusal:
        quoted = not shown or f"`{shown}`" in refusal.problem
        message = refusal.problem if quoted else f"{refusal.problem}: `{shown}`"
        yield Unfit(message, _place(source, name, shown), refusal.hint)


def _usage(name: str, parameters: Signature, node: nodes.Node) -> str:
    """How a filter or a function is called: `| replace(old, new)`."""
    is_filter = isinstance(node, nodes.Filter)
    words = [_word(parameter) for parameter in list(parameters.parameters.values())[is_filter:]]
    call = f"{name}({', '.join(words)})" if words or not is_filter else name
    return f"| {call}" if is_filter else call


def _word(parameter: Parameter) -> str:
    needs_name = parameter.kind is Parameter.KEYWORD_ONLY or parameter.default is not Parameter.empty
    return f"{parameter.name}=…" if needs_name else parameter.name


def _place(source: str, name: str, argument: str) -> Part:
    """Where the argument stands behind this name, or the name itself, or else everything."""
    call = rf"\b{name}\b"
    constant = rf"{call}\s*\(\s*(?:\w+\s*=\s*)?['\"]?(?P<constant>{re.escape(argument)})"
    match = re.search(constant, source) if argument else None
    if match:
        return Part(*match.span("constant"))
    match = re.search(call, source)
    return Part(*match.span()) if match else Part(0, len(source))
