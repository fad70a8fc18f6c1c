"""The parameters of a plan as the JSON Schema by which a Prefect server checks values and draws its form."""

from typing import Any

from flowmill.planning.plan import ParameterPlan

_ANY_ITEM = {"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "number"}, {"type": "boolean"}]}


def parameter_schema(parameters: tuple[ParameterPlan, ...]) -> dict[str, Any]:
    """An object schema in the shape that Prefect's UI expects: every property with a title and a position."""
    return {
        "title": "Parameters",
        "type": "object",
        "properties": {it.name: {**_property(it), "position": index} for index, it in enumerate(parameters)},
        "required": [it.name for it in parameters if it.default is None],
        "definitions": {},
    }


def _property(parameter: ParameterPlan) -> dict[str, Any]:
    found: dict[str, Any] = {"title": parameter.name, **_type(parameter)}
    bounds = {"minimum": parameter.minimum, "maximum": parameter.maximum}
    said = {"default": parameter.default, "description": parameter.description or None, **bounds}
    return found | {key: value for key, value in said.items() if value is not None}


def _type(parameter: ParameterPlan) -> dict[str, Any]:
    choices = {"enum": list(parameter.choices)} if parameter.choices else {}
    if parameter.type != "list":
        return {"type": parameter.type, **choices}  # the words of JSON Schema are ours
    return {"type": "array", "items": {**_type_of_items(parameter.choices or ()), **choices}}


def _type_of_items(choices: tuple[Any, ...]) -> dict[str, Any]:
    """A list has items of any type; only where all that may be chosen are texts it is known, and the form needs it."""
    return {"type": "string"} if choices and all(isinstance(it, str) for it in choices) else _ANY_ITEM
