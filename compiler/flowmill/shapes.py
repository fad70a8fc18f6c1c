"""Which names an expression may use, by where in a flow it stands."""

from collections.abc import Mapping
from typing import Any

from flowmill.expressions.names import Leaf, Shape
from flowmill.spec import StepKeys
from flowmill_tasks.registry import Registry

_RUN: Mapping[str, Shape] = {
    "start": Leaf.TIME,
    "scheduled": Leaf.TIME,
    "id": Leaf.SCALAR,
    "url": Leaf.SCALAR,
}
_FAILURE: Mapping[str, Shape] = dict.fromkeys(("step", "message", "exit_code", "output"), Leaf.SCALAR)
STEP_RESULTS = ("state", "attempts", "message")
"""What every step has as `steps.<id>.<name>`, besides the outputs of its type."""


def flow_shape(raw: Mapping[str, Any]) -> dict[str, Shape]:
    """The names for keys of the flow itself, such as its `env`."""
    return {
        "environment": Leaf.SCALAR,
        "project": Leaf.SCALAR,
        "flow": dict.fromkeys(("name", "description", "owner"), Leaf.SCALAR),
        "server": Leaf.SCALAR,
        "vars": _shape_of(raw.get("vars") or {}),
        "parameters": dict.fromkeys(_keys(raw.get("parameters")), Leaf.SCALAR),
        "run": _RUN,
        "secrets": Leaf.ANYTHING,
    }


def step_shape(raw: Mapping[str, Any], registry: Registry) -> dict[str, Shape]:
    """The names for a step: those of the flow, and what the steps yield."""
    return {**flow_shape(raw), "steps": _steps(raw.get("steps"), registry)}


def handler_shape(raw: Mapping[str, Any], registry: Registry, handler: str) -> dict[str, Shape]:
    """The names for a step of `on_failure`, `on_success` or `finally`."""
    shape = step_shape(raw, registry)
    return {**shape, "failure": _FAILURE} if handler == "on_failure" else shape


def own_keys(step: Mapping[str, Any], registry: Registry) -> frozenset[str]:
    """The keys of a step that another one may refer to as `steps.<id>.<key>`: those of its type that it sets."""
    step_type = registry.get(str(step.get("type")))
    outputs = set(step_type.output.model_fields) if step_type else set()
    return frozenset(key for key in step if key not in StepKeys.model_fields and key not in outputs)


def _steps(steps: Any, registry: Registry) -> dict[str, Shape]:
    found: dict[str, Shape] = {}
    for step in steps if isinstance(steps, list) else []:
        if isinstance(step, dict) and isinstance(step.get("id"), str):
            found[step["id"]] = _step(step, registry)
    return found


def _step(step: Mapping[str, Any], registry: Registry) -> Shape:
    step_type = registry.get(str(step.get("type")))
    if step_type is None:
        return Leaf.ANYTHING
    outputs = dict.fromkeys((*STEP_RESULTS, *step_type.output.model_fields), Leaf.SCALAR)
    return {**{key: _shape_of(step[key]) for key in own_keys(step, registry)}, **outputs}


def _shape_of(value: Any) -> Shape:
    if isinstance(value, dict):
        return {str(key): _shape_of(item) for key, item in value.items()}
    return Leaf.ANYTHING if isinstance(value, list) else Leaf.SCALAR


def _keys(value: Any) -> list[str]:
    return [str(key) for key in value] if isinstance(value, dict) else []
