"""Two flows say that they were the same flow before, so both would go on from its last success.

What a flow remembers is kept once per flow and environment, so that no two can share it, except where both have the
same `moved_from`: then each takes over the time up to which the former flow had loaded its data, one of them without
a right to it. Registering refuses that; this says so before.

Leave `moved_from` in the flow that really goes on as the former one. The other begins anew, with the `default` of its
`last_success`.
"""

from collections.abc import Iterator

from flowmill.diagnostics import Finding, Related, Severity
from flowmill.lint.subjects import Fleet, LintedFlow, Placed
from flowmill.spec.lint import RuleOptions

SEVERITY = Severity.ERROR
SUMMARY = "Two flows have the same `moved_from` in one environment, so both would take over one state."


def check_fleet(fleet: Fleet, options: RuleOptions) -> Iterator[Placed]:
    first: dict[tuple[str, str], LintedFlow] = {}
    told = set()
    for (name, environment), flow in fleet.flows.items():
        former = flow.plan.moved_from
        other = first.setdefault((former, environment), flow) if former else flow
        if other is not flow and name not in told:
            told.add(name)
            message = f"`{other.plan.name}` says as well that it was `{former}`"
            related = Related(other.tree.span(("moved_from",)), "the other flow")
            hint = "leave `moved_from` in the one that goes on as that flow"
            yield Placed(flow.tree, Finding(("moved_from",), "same-last-success", message, hint, related=(related,)))
