"""Which steps of a plan lie before which."""

from graphlib import TopologicalSorter

from flowmill.planning.plan import Plan


def ancestors(plan: Plan) -> dict[str, frozenset[str]]:
    """For every step, those that it needs, directly or through others."""
    needs = {step.id: step.needs for step in plan.steps}
    found: dict[str, frozenset[str]] = {}
    for name in TopologicalSorter(needs).static_order():
        found[name] = frozenset(needs[name]).union(*(found[other] for other in needs[name]))
    return found
