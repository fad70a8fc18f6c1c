"""A compiled workspace -> the same with what its rules and policies find."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date

from flowmill.diagnostics import Diagnostic, in_order
from flowmill.elaborating.per_environment import once_each
from flowmill.lint.policies import policy_findings, unusable_policies
from flowmill.lint.settings import ActiveRule, active_rules
from flowmill.lint.subjects import Fleet, LintedFlow
from flowmill.lint.suppressions import Scope, without_suppressed
from flowmill.pipeline import Compiled
from flowmill.workspace import Files


def linted(compiled: Compiled, files: Files, today: date, *, whole: bool) -> Compiled:
    """The same with what the rules of the workspace find; a flow with errors is not looked at.

    Args:
        today: the day that suppressions end on, and from which "within two years" counts.
        whole: whether these are all flows, so that something can be said about them together.
    """
    if files.spec is None or files.tree is None:
        return compiled
    active, wrong = active_rules(files.spec)
    wrong += unusable_policies(files.spec)
    flows = {key: LintedFlow(it.bound, it.tree, it.plan, today) for key, it in compiled.usable.items()}
    is_fleet = whole and not compiled.errors
    fleet = Fleet(files.spec, files.tree, files.projects, flows, today)
    found = [*_of_flows(active, fleet), *(_of_fleet(active, fleet) if is_fleet else ())]
    scope = Scope(files, compiled, active, today, is_fleet)
    diagnostics = [*compiled.diagnostics, *map(files.tree.locate, wrong), *without_suppressed(found, scope)]
    return replace(compiled, diagnostics=tuple(in_order(diagnostics)))


def _of_flows(active: Iterable[ActiveRule], fleet: Fleet) -> Iterator[Diagnostic]:
    by_flow: dict[str, dict[str, list[Diagnostic]]] = defaultdict(dict)
    for (name, environment), flow in fleet.flows.items():
        by_flow[name][environment] = list(_of_flow(active, fleet, flow))
    for by_environment in by_flow.values():
        yield from once_each(by_environment)


def _of_flow(active: Iterable[ActiveRule], fleet: Fleet, flow: LintedFlow) -> Iterator[Diagnostic]:
    for it in active:
        for finding in it.rule.check(flow, it.options) if it.rule.check else ():
            yield flow.tree.locate(replace(finding, code=it.rule.code, severity=it.severity))
    yield from map(flow.tree.locate, policy_findings(flow, fleet.workspace.lint.policies, fleet.tree))


def _of_fleet(active: Iterable[ActiveRule], fleet: Fleet) -> Iterator[Diagnostic]:
    for it in active:
        for tree, finding in it.rule.check_fleet(fleet, it.options) if it.rule.check_fleet else ():
            yield tree.locate(replace(finding, code=it.rule.code, severity=it.severity))
