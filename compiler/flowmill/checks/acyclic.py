"""The graph of `needs` has no cycle."""

from collections.abc import Iterator

from flowmill.diagnostics import Finding, RelatedRoute
from flowmill.flow import BoundFlow

CODES = {"cycle": "Steps wait for each other in a circle, so none of them could ever start."}


def check(flow: BoundFlow) -> Iterator[Finding]:
    reported: set[frozenset[str]] = set()
    routes = {step.id: step.route for step in flow.steps}
    for step in flow.steps:
        cycle = _cycle_through(step.id, flow.needs)
        if cycle and frozenset(cycle) not in reported:
            reported.add(frozenset(cycle))
            related = tuple(RelatedRoute((*routes[name], "needs"), f"`{name}` is part of it") for name in cycle[1:])
            message = f"`needs` runs in a circle: {' -> '.join([*cycle, cycle[0]])}"
            yield Finding((*step.route, "needs"), "cycle", message, "take one of these `needs` out", related=related)


def _cycle_through(start: str, needs: dict[str, tuple[str, ...]]) -> list[str]:
    """The shortest way from a step along `needs` back to itself, as ids; empty when there is none."""
    paths, seen = [[start]], {start}
    while paths:
        path = paths.pop(0)
        for name in needs.get(path[-1], ()):
            if name == start:
                return path
            if name not in seen:
                seen.add(name)
                paths.append([*path, name])
    return []
