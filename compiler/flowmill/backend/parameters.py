"""The parameters of a plan as the signature of a Prefect flow: Prefect checks values and draws its form by it."""

import inspect
from typing import Annotated, Any, Literal

from pydantic import Field

from flowmill.planning.plan import ParameterPlan

_TYPES: dict[str, Any] = {"string": str, "integer": int, "number": float, "boolean": bool}
_ITEM = str | int | float | bool


def signature(parameters: tuple[ParameterPlan, ...]) -> inspect.Signature:
    """Keyword-only parameters with their types, bounds, choices and defaults."""
    return inspect.Signature(
        [
            inspect.Parameter(
                parameter.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=inspect.Parameter.empty if parameter.default is None else parameter.default,
                annotation=_annotation(parameter),
            )
            for parameter in parameters
        ]
    )


def docstring(parameters: tuple[ParameterPlan, ...]) -> str | None:
    """A docstring in Google's style, the only place where Prefect looks for the descriptions of parameters."""
    lines = [f"    {it.name}: {' '.join(it.description.split())}" for it in parameters if it.description]
    return "\n".join(["Run the flow.", "", "Args:", *lines]) if lines else None


def _annotation(parameter: ParameterPlan) -> Any:
    single: Any = Literal[parameter.choices] if parameter.choices else _TYPES.get(parameter.type, _ITEM)
    base: Any = list[single] if parameter.type == "list" else single
    return Annotated[base, Field(ge=parameter.minimum, le=parameter.maximum, description=parameter.description or None)]
