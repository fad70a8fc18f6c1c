"""The merged tree of a flow in one environment -> a `BoundFlow`, and what is wrong on the way.

In order: expressions are checked by name, what is known now is folded in, the models are bound. A problem in
one step does not hide those of another.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel
from pydantic_core import PydanticCustomError

from flowmill.bind import bind
from flowmill.diagnostics import Finding, Route
from flowmill.expression_findings import expression_findings
from flowmill.expressions.language import ExpressionError, Path
from flowmill.expressions.render import Scope, fold
from flowmill.flow import BoundFlow, BoundStep, Context
from flowmill.layers import unknown_defaults
from flowmill.reading.tree import Tree
from flowmill.shapes import own_keys
from flowmill.spec import HANDLERS, FlowSpec, StepKeys
from flowmill.suggest import did_you_mean
from flowmill_tasks.base import Step
from flowmill_tasks.fields import Folded, Unrendered, exact_value
from flowmill_tasks.registry import Registry

REFERENCES_IN_A_ROW = 20
"""How many keys of steps may refer to each other one after the other."""
CHARACTERS_PUT_IN = 4 * 1024 * 1024
"""How long the texts of a flow that hold expressions may become, all together."""

_PLACEHOLDERS = {"project": "unknown", "server": "unknown", "environment": "unknown", "steps": [None]}

Findings = list[Finding]
M = TypeVar("M", bound=BaseModel)


def elaborate(tree: Tree, environment: str, context: Context) -> tuple[BoundFlow, Findings]:
    """Bind a flow's merged tree; the flow comes back even where it is wrong, for the checks."""
    raw = tree.plain()
    findings = list(unknown_defaults(tree, context.registry))
    folded = _Folding(_split(raw, context.registry), environment, context, findings).all()
    spec, broken = _best_effort(FlowSpec, folded, (), _PLACEHOLDERS, findings)
    groups = {
        group: tuple(
            _step(value, (group, index), context.registry, findings)
            for index, value in enumerate(_items(folded.get(group)))
        )
        for group in ("steps", *HANDLERS)
    }
    steps = groups.pop("steps")
    flow = BoundFlow(environment, context, tree, raw, spec, broken, steps, groups)
    return flow, _without_consequences(findings, list(expression_findings(raw, context.registry)))


def _without_consequences(findings: Findings, expressions: Findings) -> Findings:
    """All findings, but of a value (or a list of texts) with a wrong expression only what is wrong with that."""
    named = _around(expressions)
    told = {finding.route for finding in expressions}
    # A text that stands for a list has been taken apart: what was said of it was said of its items.
    evaluated = [it for it in findings if it.code == "bad-expression" and not {it.route, it.route[:-1]} & told]
    wrong = named | _around(evaluated)
    return [
        *expressions,
        *evaluated,
        *(it for it in findings if it.at_key or (it.code != "bad-expression" and it.route not in wrong)),
    ]


def _around(findings: Findings) -> set[Route]:
    """The routes of texts, and of the lists that they are items of."""
    routes = {finding.route for finding in findings}
    return routes | {route[:-1] for route in routes if isinstance(route[-1], int)}


def _split(raw: Mapping[str, Any], registry: Registry) -> dict[str, Any]:
    """The keys with every text of a step that stands for a list taken apart, before values are put in."""
    groups = {group: [_split_step(step, registry) for step in _items(raw.get(group))] for group in ("steps", *HANDLERS)}
    return {key: groups[key] if key in groups and isinstance(value, list) else value for key, value in raw.items()}


def _split_step(step: Any, registry: Registry) -> Any:
    step_type = registry.get(str(step.get("type"))) if isinstance(step, dict) else None
    splits = step_type.split_fields if step_type else {}
    return (
        {**step, **{key: _taken_apart(step[key], split) for key, split in splits.items() if key in step}}
        if splits
        else step
    )


def _taken_apart(value: Any, split: Callable[[Any], Any]) -> Any:
    try:
        return split(value)
    except PydanticCustomError:
        return value  # the model says what is wrong with it


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


class _Folding:
    """Puts in what is known before the run. An expression that cannot be evaluated is reported and left."""

    def __init__(self, raw: Mapping[str, Any], environment: str, context: Context, findings: Findings) -> None:
        self.raw = raw
        self.findings = findings
        self.registry = context.registry
        self.scope: Scope = {
            "environment": environment,
            "project": context.project_name,
            "flow": {
                "name": f"{context.project_name}.{context.flow_name}",
                "description": str(raw.get("description") or ""),
                "owner": str(raw.get("owner") or context.project.owner),
            },
        }
        self._steps = {
            str(step.get("id")): step for step in reversed(_items(raw.get("steps"))) if isinstance(step, dict)
        }
        self._inlining: set[Path] = set()
        self._inlined: dict[Path, Any] = {}
        self._characters = 0

    def all(self) -> dict[str, Any]:
        """Every key of the flow folded: `vars` first, since the others may use them, then `server`."""
        folded: dict[str, Any] = {}
        for key in sorted(self.raw, key=lambda key: {"vars": 0, "server": 1}.get(key, 2)):
            folded[key] = self._fold(self.raw[key], (key,))
            if key in ("vars", "server"):
                self.scope[key] = exact_value(folded[key] or {}) if key == "vars" else folded[key]
        return {key: folded[key] for key in self.raw}

    def _fold(self, value: Any, route: Route) -> Any:
        """Fold leaf by leaf, so that a problem keeps its place."""
        if isinstance(value, dict):
            return {key: self._fold(item, (*route, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self._fold(item, (*route, index)) for index, item in enumerate(value)]
        try:
            return self._counted(fold(value, self.scope, self._inline))
        except ExpressionError as error:
            self.findings.append(Finding(route, "bad-expression", str(error)))
            return value

    def _counted(self, value: Any) -> Any:
        self._characters += len(value) if isinstance(value, Folded | Unrendered) else 0
        if self._characters > CHARACTERS_PUT_IN:
            raise ExpressionError(f"the expressions of this flow yield more than {CHARACTERS_PUT_IN:,} characters")
        return value

    def _inline(self, path: Path) -> Any:
        """The text behind `steps.<id>.<key>`, where the key is one that the step's author wrote."""
        step = self._steps.get(path[1]) if len(path) == 3 and path[0] == "steps" else None
        if step is None or path[2] not in own_keys(step, self.registry):
            return None
        if path not in self._inlined:
            self._inlined[path] = self._folded_once(path, step[path[2]])
        return self._inlined[path]

    def _folded_once(self, path: Path, value: Any) -> Any:
        if path in self._inlining:
            raise ExpressionError(f"`{'.'.join(path)}` refers to itself")
        if len(self._inlining) == REFERENCES_IN_A_ROW:
            raise ExpressionError(f"more than {REFERENCES_IN_A_ROW} keys refer to each other in a row")
        self._inlining.add(path)
        try:
            return fold(value, self.scope, self._inline)
        finally:
            self._inlining.discard(path)


def _best_effort(
    model: type[M], values: dict[str, Any], route: Route, stand_ins: Mapping[str, Any], findings: Findings
) -> tuple[M, frozenset[str]]:
    """The model of what is right; keys that are wrong get their default, or a stand-in, and are named."""
    bound = bind(model, values, route)
    if isinstance(bound, model):
        return bound, frozenset()
    problems = bound if isinstance(bound, list) else []
    findings += problems
    depth = len(route)
    broken = {str(problem.route[depth]) for problem in problems if len(problem.route) > depth}
    usable = {key: value for key, value in values.items() if key not in broken}
    missing = stand_ins.keys() - usable.keys()
    return model.model_validate({**stand_ins, **usable}), frozenset(broken | missing)


def _step(value: Any, route: Route, registry: Registry, findings: Findings) -> BoundStep:
    if not isinstance(value, dict):
        findings.append(Finding(route, "wrong-type", "expected a step: a map with `id` and `type`"))
        return BoundStep(route, {}, None, None)
    step_type = _step_type(value, route, registry, findings)
    own = {key: item for key, item in value.items() if key not in StepKeys.model_fields}
    common = {key: item for key, item in value.items() if key in StepKeys.model_fields}
    if route[0] != "steps":
        common.setdefault("id", f"{route[0]}_{int(route[1]) + 1}")
    stand_ins = {"id": f"{route[0]}-{int(route[1]) + 1}", "type": "unknown"}
    keys, _ = _best_effort(StepKeys, common, route, stand_ins, findings)
    return BoundStep(route, value, keys, _model(step_type, own, route, findings))


def _model(step_type: type[Step] | None, own: dict[str, Any], route: Route, findings: Findings) -> Step | None:
    if step_type is None:
        return None
    bound = bind(step_type, own, route, known=tuple(StepKeys.model_fields))
    if isinstance(bound, list):
        findings += bound
        return None
    return bound


def _step_type(value: dict[str, Any], route: Route, registry: Registry, findings: Findings) -> type[Step] | None:
    word = value.get("type")
    if not isinstance(word, str):
        return None  # reported as a missing key, or as one of the wrong type
    found = registry.get(word)
    if found is None:
        findings.append(
            Finding(
                (*route, "type"),
                "unknown-type",
                f"there is no step type `{word}`",
                did_you_mean(word, registry),
            )
        )
    return found
