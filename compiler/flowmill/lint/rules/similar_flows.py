"""Two flows of a project have names that people take for one another: `bike-trips` and `bike_trips`.

Both are registered, both run, and whoever looks at one of them in Prefect believes to see the other. Mostly one is
a copy that was left behind when the flow was renamed.

Remove the one that is left over, or give it a name that says what is different about it.
"""

from collections import defaultdict
from collections.abc import Iterator

from flowmill.diagnostics import Finding, Related, Severity
from flowmill.lint.names import alike
from flowmill.lint.subjects import Fleet, LintedFlow, Placed
from flowmill.spec.lint import RuleOptions

SEVERITY = Severity.WARNING
SUMMARY = "Two flows of a project differ in nothing but `-`, `_` or a final `s`."


def check_fleet(fleet: Fleet, options: RuleOptions) -> Iterator[Placed]:
    for flows in _by_project(fleet).values():
        for first, *others in alike(flows):
            for name in others:
                related = Related(flows[first].tree.span(("project",)), "the other flow")
                message = f"the flow `{name}` is easily taken for `{first}`"
                finding = Finding(("project",), "similar-flows", message, "give one another name", related=(related,))
                yield Placed(flows[name].tree, finding)


def _by_project(fleet: Fleet) -> dict[str, dict[str, LintedFlow]]:
    """The flows of each project by name, in one of their environments."""
    found: dict[str, dict[str, LintedFlow]] = defaultdict(dict)
    for flow in fleet.flows.values():
        found[flow.plan.project].setdefault(flow.plan.flow, flow)
    return found
