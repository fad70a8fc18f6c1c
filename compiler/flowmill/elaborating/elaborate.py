"""The merged tree of a flow in one environment -> a `BoundFlow`, and what is wrong on the way.

In order: expressions are checked by name, what is known now is folded in, the models are bound. A problem in
one step does not hide those of another.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel

from flowmill.corrections import corrected, renamed
from flowmill.diagnostics import Finding, Route, RouteEdit
from flowmill.elaborating.bound_flow import BoundFlow, BoundStep, Context
from flowmill.elaborating.consequences import Findings, meant_names, without_consequences
from flowmill.elaborating.expression_findings import expression_findings
from flowmill.elaborating.folding import Folding, items
from flowmill.elaborating.layers import unknown_defaults
from flowmill.reading.tree import Tree
from flowmill.spec.bind import bind, without_misspelt
from flowmill.spec.flow import GROUPS, STEP_KEYS, FlowSpec, StepKeys
from flowmill.suggest import did_you_mean, nearest
from flowmill_tasks.base import Step
from flowmill_tasks.registry import Registry

_PLACEHOLDERS = {"project": "unknown", "server": "unknown", "environment": "unknown", "steps": [None]}

_STAND_IN = StepKeys(id="unknown", type="unknown")

M = TypeVar("M", bound=BaseModel)


def elaborate(tree: Tree, environment: str, context: Context) -> tuple[BoundFlow, Findings]:
    """Bind a flow's merged tree; the flow comes back even where it is wrong, for the checks."""
    written = tree.plain()
    meant = meant_names(written)
    folding = Folding(written | meant, environment, context)
    folded = folding.all()
    findings = [*unknown_defaults(tree, context.registry), *folding.findings]
    spec, broken = _best_effort(FlowSpec, folded, (), _PLACEHOLDERS, findings)
    groups = {group: _steps(group, written, folded, context.registry, findings) for group in GROUPS}
    flow = BoundFlow(environment, context, spec, broken, folding.constants, groups.pop("steps"), groups, written)
    told = without_consequences(
        without_misspelt(findings), list(expression_findings(written | meant, context.registry))
    )
    return flow, [it for it in told if it.route[:1] not in {(key,) for key in meant}]


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


def _steps(
    group: str, written: Mapping[str, Any], folded: Mapping[str, Any], registry: Registry, findings: Findings
) -> tuple[BoundStep, ...]:
    pairs = zip(items(written.get(group)), items(folded.get(group)), strict=True)
    return tuple(_step((group, index), *pair, registry, findings) for index, pair in enumerate(pairs))


def _step(route: Route, written: Any, folded: Any, registry: Registry, findings: Findings) -> BoundStep:
    if not isinstance(folded, dict):
        findings.append(Finding(route, "wrong-type", "expected a step: a map with `id` and `type`"))
        return BoundStep(route, {}, _STAND_IN, None, STEP_KEYS)
    common = {key: item for key, item in folded.items() if key in STEP_KEYS}
    own = {key: item for key, item in folded.items() if key not in common}
    if route[0] != "steps":
        common.setdefault("id", f"{route[0]}_{int(route[1]) + 1}")
    keys, broken = _best_effort(StepKeys, common, route, _STAND_IN.model_dump(include={"id", "type"}), findings)
    step_type = _step_type(folded, route, registry, findings)
    return BoundStep(
        route, written, keys, _model(step_type, _allowed(step_type, own, route, findings), route, findings), broken
    )


def _allowed(step_type: type[Step] | None, own: dict[str, Any], route: Route, findings: Findings) -> dict[str, Any]:
    """The keys of a step's type without those that the type refuses; for these the reason is told."""
    refused = step_type.refused_keys if step_type else {}
    reasons = {key: refused.get(key.strip("-").replace("-", "_")) for key in own}
    for key, reason in reasons.items():
        if reason:
            message = f"`{key}` is not allowed: it {reason}"
            findings.append(Finding((*route, key), "refused-key", message, at_key=True))
    return {key: value for key, value in own.items() if not reasons[key]}


def _model(step_type: type[Step] | None, own: dict[str, Any], route: Route, findings: Findings) -> Step | None:
    if step_type is None:
        return None
    bound = bind(step_type, own, route, beside=StepKeys)
    if isinstance(bound, list):
        findings += bound
        return None
    return bound


def _step_type(value: dict[str, Any], route: Route, registry: Registry, findings: Findings) -> type[Step] | None:
    word = value.get("type")
    if word is None:
        findings += [_misspelt_type(key, route) for key in value if key not in STEP_KEYS and nearest(key, ["type"])][:1]
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
                fix=corrected((*route, "type"), word, registry),
            )
        )
    return found


def _misspelt_type(key: str, route: Route) -> Finding:
    """A step without `type` has no other keys to judge, but this one."""
    place = (*route, key)
    fix = (RouteEdit(place, "type", at_key=True),) if renamed(key, ["type"]) else ()
    return Finding(place, "unknown-key", f"unknown key `{key}`", "did you mean `type`?", at_key=True, fix=fix)
