"""Parameters as they are given on the command line: `name=value`, typed by the flow's declaration."""

import json
from collections.abc import Iterable
from typing import Any

from flowmill.checks.parameters import mismatch
from flowmill.plan import ParameterPlan, Plan
from flowmill.spec import Parameter
from flowmill.suggest import did_you_mean
from flowmill_tasks.fields import Plain, core_value


class BadParameter(Exception):
    """A given parameter is unknown, malformed or out of bounds, or a required one is missing."""


def parameters_from(given: Iterable[str], plan: Plan) -> dict[str, Any]:
    """The value of every parameter of the plan: given, or its default.

    Raises:
        BadParameter: the message tells what to give instead.
    """
    declared = {parameter.name: parameter for parameter in plan.parameters}
    values = {name: parameter.default for name, parameter in declared.items()}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise BadParameter(f"`{text}` is not of the form name=value")
        if name not in declared:
            hint = did_you_mean(name, declared) or "the flow declares no parameters"
            raise BadParameter(f"there is no parameter `{name}`; {hint}")
        values[name] = _typed(declared[name], value)
    for name, value in values.items():
        if value is None:
            raise BadParameter(f"parameter `{name}` has no default: give it with --set {name}=…")
    # As Prefect hands them to a run: a dry run must not show `2` where the step gets `2.0`.
    return {name: float(value) if declared[name].type == "number" else value for name, value in values.items()}


def _typed(parameter: ParameterPlan, text: str) -> Any:
    value = _list(text) if parameter.type == "list" else text if parameter.type == "string" else core_value(Plain(text))
    if problem := mismatch(_as_declared(parameter), value):
        raise BadParameter(f"parameter `{parameter.name}`: {problem}, got `{text}`")
    return value


def _list(text: str) -> list[Any]:
    """A JSON list, or texts with commas between."""
    if not text.lstrip().startswith("["):
        return [part.strip() for part in text.split(",") if part.strip()]
    try:
        return list(json.loads(text))
    except ValueError:
        raise BadParameter(f'`{text}` is not a list in JSON; write `a,b,c` or `["a", "b"]`') from None


def _as_declared(parameter: ParameterPlan) -> Parameter:
    return Parameter.model_construct(
        type=parameter.type,
        minimum=parameter.minimum,
        maximum=parameter.maximum,
        choices=list(parameter.choices) if parameter.choices else None,
    )
