"""Which names an expression may use, by where in a flow it stands."""

from collections.abc import Mapping
from typing import Any

from flowmill.diagnostics import Route
from flowmill.expressions.language import STATUS_FUNCTIONS
from flowmill.expressions.names import Leaf, Shape
from flowmill.spec.flow import GROUPS, STEP_KEYS
from flowmill_tasks.registry import Registry

_RUN: Mapping[str, Shape] = {
    "start": Leaf.TIME,
    "scheduled": Leaf.TIME,
    "id": Leaf.SCALAR,
    "url": Leaf.SCALAR,
}
_FAILURE: Mapping[str, Shape] = {
    **dict.fromkeys(("step", "message", "exit_code", "output"), Leaf.SCALAR),
    "skipped": Leaf.ANYTHING,
}
STEP_MEANINGS = {"state": "how the step ended", "attempts": "how often it was tried", "message": "of its state"}
STEP_RESULTS = tuple(STEP_MEANINGS)
"""What every step has as `steps.<id>.<name>`, besides the outputs of its type."""


_RETRY: Mapping[str, Shape] = dict.fromkeys(("step", "attempt", "attempts", "message", "delay"), Leaf.SCALAR)
_STATUS: Mapping[str, Shape] = dict.fromkeys(STATUS_FUNCTIONS, Leaf.SCALAR)
_BEFORE_ELEMENTS = frozenset({"if", "foreach", "matrix"})
"""Keys of a step that are evaluated once, before there are elements."""
ELEMENT_RESULTS = "results"
"""What a step with `foreach` or `matrix` has in place of the outputs of its type: one map for each element."""


def is_condition(route: Route) -> bool:
    """Whether a route leads to the `if` of a step, which is an expression even without `${{ }}`."""
    return len(route) == 3 and route[2] == "if" and route[0] in GROUPS


def flow_shape(raw: Mapping[str, Any]) -> dict[str, Shape]:
    """The names for keys of the flow itself, such as its `env`."""
    # Whether the flow keeps it at all is asked by the check `last_success`, which can say what to do about it.
    success: Shape = {"start": Leaf.TIME} if raw.get("last_success") is not None else Leaf.ANYTHING
    return {
        "environment": Leaf.SCALAR,
        "project": Leaf.SCALAR,
        "flow": dict.fromkeys(("name", "description", "owner"), Leaf.SCALAR),
        "server": Leaf.SCALAR,
        "vars": _shape_of(raw.get("vars") or {}),
        "parameters": {name: _of_parameter(value) for name, value in _map(raw.get("parameters")).items()},
        "run": _RUN,
        "secrets": Leaf.ANYTHING,
        "last_success": success,
    }


def key_of_flow_shape(raw: Mapping[str, Any], key: str) -> dict[str, Shape]:
    """The names for one key of the flow itself."""
    # What the default of `last_success` cannot use is told by its check, which says why.
    told = {"steps": Leaf.ANYTHING, "last_success": Leaf.ANYTHING} if key == "last_success" else {}
    return {**flow_shape(raw), **told}


def group_shape(raw: Mapping[str, Any], registry: Registry, group: str) -> dict[str, Shape]:
    """The names for steps of the flow, or of one of its handlers: those of the flow, and what the steps yield."""
    own = {"on_failure": {"failure": _FAILURE}, "on_retry": {"retry": _RETRY}}.get(group, {})
    return {**flow_shape(raw), "steps": _steps(raw.get("steps"), registry), **own}


def key_shape(names: Mapping[str, Shape], step: Any, key: str) -> Mapping[str, Shape]:
    """The names for one key of a step, of those for its group: `item` and `matrix` where there are elements."""
    if key == "if":
        return {**_STATUS, **names}
    return names if key in _BEFORE_ELEMENTS else {**names, **_elements(step)}


def _elements(step: Any) -> dict[str, Shape]:
    if not isinstance(step, Mapping):
        return {}
    item: dict[str, Shape] = {"item": _of_items(step["foreach"])} if "foreach" in step else {}
    matrix = {name: _of_items(values) for name, values in _map(step.get("matrix")).items()}
    return {**item, **({"matrix": matrix} if "matrix" in step else {})}


def _of_items(values: Any) -> Shape:
    """What is known of each item: all of a list of maps have the keys that any of them has."""
    if isinstance(values, list) and values and all(isinstance(item, dict) for item in values):
        return {key: shape for item in values for key, shape in _map(_shape_of(item)).items()}
    is_literal = isinstance(values, list) and not any(isinstance(item, dict | list) for item in values)
    return Leaf.SCALAR if is_literal else Leaf.ANYTHING


def _of_parameter(parameter: Any) -> Shape:
    return Leaf.ANYTHING if _map(parameter).get("type") == "list" else Leaf.SCALAR


def own_keys(step: Mapping[str, Any], registry: Registry) -> frozenset[str]:
    """The keys of a step that another one may refer to as `steps.<id>.<key>`: those of its type that it sets."""
    step_type = registry.get(str(step.get("type")))
    outputs = set(step_type.output.model_fields) if step_type else set()
    names = {*STEP_KEYS, *STEP_RESULTS, *outputs}
    return frozenset(key for key, value in step.items() if key not in names and value is not None)


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
    common = dict.fromkeys(STEP_RESULTS, Leaf.SCALAR)
    if "foreach" in step or "matrix" in step:
        return {**common, ELEMENT_RESULTS: Leaf.ANYTHING}
    outputs = dict.fromkeys(step_type.output.model_fields, Leaf.SCALAR)
    return {**{key: _shape_of(step[key]) for key in own_keys(step, registry)}, **common, **outputs}


def _shape_of(value: Any) -> Shape:
    if isinstance(value, dict):
        return {str(key): _shape_of(item) for key, item in value.items()}
    return Leaf.ANYTHING if isinstance(value, list) else Leaf.SCALAR


def _map(value: Any) -> Mapping[str, Any]:
    return {str(key): item for key, item in value.items()} if isinstance(value, Mapping) else {}


MEANINGS = {
    "environment": "the environment that the flow runs in",
    "project": "the project of the flow",
    "flow": "the flow: `name`, `description`, `owner`",
    "server": "the server that the flow runs on",
    "vars": "the flow's named values, known before the run",
    "parameters": "the parameters of the run, by name",
    "run": "the run: `start`, `scheduled`, `id`, `url`",
    "run.start": "when the run began, the same for all steps and retries",
    "run.scheduled": "when the run was due; its start where nobody had scheduled it",
    "run.id": "the id of the run in Prefect",
    "run.url": "the page of the run in Prefect",
    "last_success": "the last run in which every step succeeded: `start`",
    "last_success.start": "the start of the last run in which every step succeeded",
    "secrets": "secrets by name, known in the run only; never shown",
    "item": "the element of `foreach` that the step runs for",
    "matrix": "the combination that the step runs for, by name",
    "failure": "the failure of the run: `step`, `message`, `exit_code`, `output`",
    "retry": "the failure that is about to be tried again: `step`, `attempt`, `message`",
}
"""What the names are that expressions may use, for people."""
