"""Parameters as they are given on the command line: `name=value`, typed by the flow's declaration."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from flowmill.checks.parameters import mismatch
from flowmill.planning.plan import ParameterPlan, Plan
from flowmill.spec.flow import Parameter
from flowmill.suggest import did_you_mean
from flowmill_tasks.fields import Plain, core_value, exact_value


class BadParameter(Exception):
    """A given parameter is unknown, malformed or out of bounds, or a required one is missing."""


def parameters_from(given: Iterable[str], plan: Plan) -> dict[str, Any]:
    """The value of every parameter of the plan: given, or its default.

    Raises:
        BadParameter: the message tells what to give instead.
    """
    values = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise BadParameter(f"`{text}` is not of the form name=value")
        values[name] = value
    found = typed_parameters(values, plan)
    if missing := missing_parameters(found, plan):
        raise BadParameter(f"parameter `{missing[0]}` has no default: give it with --set {missing[0]}=…")
    return found


def typed_parameters(given: Mapping[str, Any], plan: Plan) -> dict[str, Any]:
    """The same for values that are texts, or lists of texts; a required one that is not given is left out.

    Raises:
        BadParameter: the message tells what to give instead.
    """
    declared = {parameter.name: parameter for parameter in plan.parameters}
    values = {name: parameter.default for name, parameter in declared.items() if parameter.default is not None}
    values |= {name: typed_parameter(name, value, plan) for name, value in given.items()}
    # As Prefect hands them to a run: a dry run must not show `2` where the step gets `2.0`.
    return {name: float(value) if declared[name].type == "number" else value for name, value in values.items()}


def missing_parameters(values: Mapping[str, Any], plan: Plan) -> list[str]:
    """The required parameters that have no value."""
    return [parameter.name for parameter in plan.parameters if values.get(parameter.name) is None]


def typed_parameter(name: str, given: Any, plan: Plan) -> Any:
    """The value of one parameter, of the type that the flow declares.

    Raises:
        BadParameter: there is none of that name, or the value does not fit it.
    """
    declared = {parameter.name: parameter for parameter in plan.parameters}
    if name not in declared:
        hint = did_you_mean(name, declared) or "the flow declares no parameters"
        raise BadParameter(f"there is no parameter `{name}`; {hint}")
    parameter = declared[name]
    value = _value(parameter, str(given)) if isinstance(given, str) else exact_value(given)
    if problem := mismatch(_as_declared(parameter), value):
        raise BadParameter(f"parameter `{name}`: {problem}, got `{_shown(given)}`")
    return value


def _shown(given: Any) -> str:
    return f"[{', '.join(map(str, given))}]" if isinstance(given, list) else str(given)


def _value(parameter: ParameterPlan, text: str) -> Any:
    return _list(text) if parameter.type == "list" else text if parameter.type == "string" else core_value(Plain(text))


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
