"""What a team wants of its flows, said in `flowmill.yaml` without code."""

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from flowmill.corrections import corrected
from flowmill.diagnostics import Finding, Related, Route, Severity
from flowmill.elaborating.bound_flow import BoundStep
from flowmill.lint.subjects import LintedFlow
from flowmill.reading.tree import Tree
from flowmill.spec.bind import keys_of
from flowmill.spec.flow import FlowSpec, StepKeys
from flowmill.spec.lint import Policy
from flowmill.spec.workspace import Workspace
from flowmill.suggest import did_you_mean
from flowmill_tasks.registry import discover

CODE = "policy"


def policy_findings(flow: LintedFlow, policies: Mapping[str, Policy], tree: Tree) -> Iterator[Finding]:
    """Where a flow is not as the policies that are about it want it; `tree` is that of `flowmill.yaml`."""
    for name, policy in policies.items():
        said = Related(tree.span(("lint", "policies", name), at_key=True), f"policy `{name}`")
        for route, message, at_key in _problems(policy, flow) if _is_about(policy, flow) else ():
            severity = Severity(policy.severity)
            yield Finding(route, CODE, message, policy.description, at_key, related=(said,), severity=severity)


def _is_about(policy: Policy, flow: LintedFlow) -> bool:
    plan = flow.plan
    conditions = (
        (policy.environments, plan.environment),
        (policy.projects, plan.project),
        (policy.servers, plan.server),
    )
    named = all(names is None or name in names for names, name in conditions)
    return named and (policy.scheduled is None or policy.scheduled is bool(plan.schedules))


_Problem = tuple[Route, str, bool]
"""A route, a message, and whether the place is the key of the route."""


def _problems(policy: Policy, flow: LintedFlow) -> Iterator[_Problem]:
    spec = flow.bound.spec.model_dump(by_alias=True)
    spec["owner"] = flow.plan.owner
    yield from _in_keys(policy.require, policy.forbid, policy.values, (), spec, "the flow")
    for step in flow.bound.all_steps():
        if policy.step_types is None or step.keys.type in policy.step_types:
            keys = (policy.require_in_steps, policy.forbid_in_steps, policy.values_in_steps)
            yield from _in_keys(*keys, step.route, _values(step), f"step `{step.id}`")


def _values(step: BoundStep) -> dict[str, Any]:
    own = step.model.model_dump(by_alias=True, warnings=False) if step.model else {}
    return {**step.keys.model_dump(by_alias=True, warnings=False), **own}


def _in_keys(
    required: Iterable[str],
    forbidden: Iterable[str],
    allowed: Mapping[str, Iterable[str]],
    base: Route,
    values: Mapping[str, Any],
    whose: str,
) -> Iterator[_Problem]:
    for key in required:
        if _is_unset(_at(values, key)):
            yield (*base, *key.split(".")), f"{whose} has no `{key}`", True
    for key in forbidden:
        if not _is_unset(_at(values, key)):
            yield (*base, *key.split(".")), f"{whose} has `{key}`", True
    for key, patterns in allowed.items():
        for text in _texts(_at(values, key)):
            if not any(fnmatchcase(text, pattern) for pattern in patterns):
                yield (*base, *key.split(".")), f"`{key}` of {whose} is not one of {_listed(patterns)}", False


def _at(values: Any, key: str) -> Any:
    for word in key.split("."):
        values = values.get(word) if isinstance(values, Mapping) else None
    return values


def _is_unset(value: Any) -> bool:
    return value is None or value is False or value == "" or value == [] or value == {} or value == 0


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [str(item) for item in values if isinstance(item, str | int | float) and item != ""]


def _listed(patterns: Iterable[str]) -> str:
    return ", ".join(f"`{pattern}`" for pattern in patterns)


def unusable_policies(workspace: Workspace) -> list[Finding]:
    """The words in policies that name nothing, so that the policy would never say anything."""
    return [
        finding for name, policy in workspace.lint.policies.items() for finding in _unusable(name, policy, workspace)
    ]


def _unusable(name: str, policy: Policy, workspace: Workspace) -> Iterator[Finding]:
    of_flows = {*keys_of(FlowSpec)}
    of_steps = {*keys_of(StepKeys), *(key for step_type in discover().values() for key in keys_of(step_type))}
    known: dict[str, tuple[Iterable[str], str, str]] = {
        "environments": (workspace.environments, "unknown-environment", "environment"),
        "servers": (workspace.servers, "unknown-server", "server"),
        "step_types": (discover(), "unknown-type", "step type"),
        **dict.fromkeys(("require", "forbid", "values"), (of_flows, "unknown-key", "key of a flow")),
        **dict.fromkeys(
            ("require_in_steps", "forbid_in_steps", "values_in_steps"), (of_steps, "unknown-key", "key of a step")
        ),
    }
    for key, (words, code, kind) in known.items():
        yield from _not_known(("lint", "policies", name, key), getattr(policy, key) or (), words, code, kind)


def _not_known(route: Route, written: Any, known: Iterable[str], code: str, kind: str) -> Iterator[Finding]:
    for index, word in enumerate(written):
        first = word.split(".")[0]
        if first not in known:
            is_map = isinstance(written, Mapping)
            place: Route = (*route, word if is_map else index)
            message, fix = f"there is no {kind} `{first}`", corrected(place, word, known, at_key=is_map)
            yield Finding(place, code, message, did_you_mean(first, known), at_key=is_map, fix=fix)
