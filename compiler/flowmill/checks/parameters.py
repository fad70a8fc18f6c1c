"""Parameters have usable names and fitting defaults, and a scheduled flow needs none without one."""

import keyword
import math
from collections.abc import Iterator
from typing import Any

from flowmill.diagnostics import Finding, RelatedRoute, Route
from flowmill.elaborating.bound_flow import BoundFlow
from flowmill.spec.flow import Parameter

CODES = {
    "bad-parameter": "A parameter's name, limits, choices or default do not fit each other.",
    "required-parameter": "A scheduled run has nobody to fill in a parameter, so each needs a default.",
}

_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "list": list,
}

_RESERVED = frozenset({"cls", "model_config", "return_state", "self", "wait_for"})
"""Names that Prefect or pydantic keep for themselves: no flow can have such a parameter."""


def check(flow: BoundFlow) -> Iterator[Finding]:
    for name, parameter in flow.spec.parameters.items():
        route = ("parameters", name)
        if hint := _name_hint(name):
            message = f"`{name}` cannot be the name of a parameter"
            yield Finding(route, "bad-parameter", message, hint, at_key=True)
        yield from list(_limits(parameter, route)) or _default(parameter, route)
        if parameter.default is None:
            yield from _required(name, flow)


def _required(name: str, flow: BoundFlow) -> Iterator[Finding]:
    """Whether each schedule gives a value to a parameter that has no default."""
    message = f"parameter `{name}` has no default, so a scheduled run could not start"
    if flow.spec.cron:
        hint = "give it a `default`, or a value in the `parameters` of `schedules`, which replace `cron`"
        yield Finding(("parameters", name), "required-parameter", message, hint, at_key=True)
    without = [index for index, schedule in enumerate(flow.spec.schedules) if name not in schedule.parameters]
    if without:
        related = tuple(RelatedRoute(("schedules", index, "cron"), f"gives no `{name}`") for index in without)
        hint = "give it a `default`, or a value in the `parameters` of every schedule"
        yield Finding(("parameters", name), "required-parameter", message, hint, at_key=True, related=related)


def _name_hint(name: str) -> str:
    """What is wrong with a name, as advice; empty for one that can be used."""
    if name in _RESERVED:
        return "Prefect uses this name itself"
    if not name.isidentifier() or keyword.iskeyword(name) or name != name.lower():
        return "use lower-case letters, digits and `_`"
    return "begin with a letter" if name.startswith("_") else ""


def _limits(parameter: Parameter, route: Route) -> Iterator[Finding]:
    """Limits that nothing obeys, or that no value could."""
    limits = {"minimum": parameter.minimum, "maximum": parameter.maximum}
    bounds = {key: limit for key, limit in limits.items() if limit is not None}
    if parameter.type not in ("integer", "number"):
        for key in bounds:
            message = f"`{key}` is for numbers, and this parameter is of type {parameter.type}"
            hint = "remove it, or let the `type` be `integer` or `number`"
            yield Finding((*route, key), "bad-parameter", message, hint, at_key=True)
    elif infinite := [key for key, limit in bounds.items() if not math.isfinite(limit)]:
        for key in infinite:
            yield Finding((*route, key), "bad-parameter", "too large to be a limit", "leave it out where there is none")
    elif len(bounds) == len(limits):
        yield from _room(parameter, bounds["minimum"], bounds["maximum"], route)


def _room(parameter: Parameter, least: float, most: float, route: Route) -> Iterator[Finding]:
    """Whether a number lies between the limits."""
    is_whole = parameter.type == "integer"
    if least > most or (is_whole and math.ceil(least) > math.floor(most)):
        message = f"no {'whole ' if is_whole else ''}number is at least {least:g} and at most {most:g}"
        hint = "exchange the two" if least > most else "a parameter of type `number` may have a fraction"
        related = (RelatedRoute((*route, "minimum"), "the other limit"),)
        yield Finding((*route, "maximum"), "bad-parameter", message, hint, related=related)


def _default(parameter: Parameter, route: Route) -> Iterator[Finding]:
    choices = parameter.choices
    if choices is not None and not (isinstance(choices, list) and choices):
        yield Finding((*route, "choices"), "bad-parameter", "expected a list of values")
        return
    if None in (choices or []):
        yield Finding((*route, "choices"), "bad-parameter", "null cannot be chosen: it is no value")
        return
    each = [[item] for item in choices or []] if parameter.type == "list" else choices or []
    for key, value in (("default", parameter.default), *(("choices", item) for item in each)):
        if value is not None and (problem := mismatch(parameter, value)):
            yield Finding((*route, key), "bad-parameter", problem)
            return


def mismatch(parameter: Parameter, value: Any) -> str:
    """Why a value does not fit a parameter; empty when it does."""
    wanted = _TYPES[parameter.type]
    if not isinstance(value, wanted) or (isinstance(value, bool) and parameter.type != "boolean"):
        return f"expected a value of type {parameter.type}"
    if parameter.minimum is not None and isinstance(value, int | float) and value < parameter.minimum:
        return f"must be at least {parameter.minimum:g}"
    if parameter.maximum is not None and isinstance(value, int | float) and value > parameter.maximum:
        return f"must be at most {parameter.maximum:g}"
    items = value if isinstance(value, list) else [value]
    if any(isinstance(item, list | dict) for item in items):
        return "expected a list of texts and numbers"
    if parameter.choices and not all(item in parameter.choices for item in items):
        return f"expected one of: {', '.join(map(str, parameter.choices))}"
    return ""
