"""The graph of `needs` has no cycle."""

from collections import deque
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from flowmill.diagnostics import Finding, RelatedRoute
from flowmill.elaborating.bound_flow import BoundFlow

CODES = {"cycle": "Steps wait for each other in a circle, so none of them could ever start."}


def check(flow: BoundFlow) -> Iterator[Finding]:
    try:
        TopologicalSorter(flow.needs).prepare()
    except CycleError:
        yield from _cycles(flow)


def _cycles(flow: BoundFlow) -> Iterator[Finding]:
    reported: set[str] = set()
    routes = {step.id: step.route for step in flow.steps}
    for step in flow.steps:
        cycle = _cycle_through(step.id, flow.needs) if step.id not in reported else []
        if cycle:
            reported |= set(cycle)
            related = tuple(RelatedRoute((*routes[name], "needs"), f"`{name}` is part of it") for name in cycle[1:])
            message = f"`needs` runs in a circle: {' -> '.join([*cycle, cycle[0]])}"
            yield Finding((*step.route, "needs"), "cycle", message, "take one of these `needs` out", related=related)


def _cycle_through(start: str, needs: dict[str, tuple[str, ...]]) -> list[str]:
    """The shortest way from a step along `needs` back to itself, as ids; empty when there is none."""
    came_from = {start: start}
    waiting = deque([start])
    while waiting:
        last = waiting.popleft()
        for name in needs.get(last, ()):
            if name == start:
                return _way_to(last, came_from)
            if name not in came_from:
                came_from[name] = last
                waiting.append(name)
    return []


def _way_to(last: str, came_from: dict[str, str]) -> list[str]:
    path = [last]
    while came_from[path[-1]] != path[-1]:
        path.append(came_from[path[-1]])
    return path[::-1]
