"""A step uses the results of steps that have certainly ended before it."""

from collections.abc import Iterator

from flowmill.diagnostics import Finding, Part, RelatedRoute, Route
from flowmill.elaborating.bound_flow import BoundFlow, BoundStep
from flowmill.elaborating.expression_findings import step_expressions
from flowmill.elaborating.shapes import own_keys
from flowmill.expressions.language import Path

CODES = {"not-upstream": "An expression uses the result of a step that may not have run yet: add it to `needs`."}


def check(flow: BoundFlow) -> Iterator[Finding]:
    for step in flow.steps:
        for route, piece, parsed in step_expressions(step.written, step.route):
            for path in parsed.references:
                place = parsed.place(path[:2])
                part = Part(piece.start + place.start, piece.start + place.end)
                for other, through in _too_early(flow, step, path):
                    yield _finding(route, part, step, other, through)


def _too_early(flow: BoundFlow, step: BoundStep, path: Path) -> list[tuple[BoundStep, str]]:
    """The steps that a name waits for and that may not have ended; with the name itself, where they are behind it."""
    steps = {other.id: other for other in flow.steps}
    found: dict[str, tuple[BoundStep, str]] = {}
    for name in (path, *flow.names_behind.of(path)):
        other = steps.get(name[1]) if len(name) > 1 and name[0] == "steps" else None
        if other and not _is_key(name, other, flow) and not flow.ends_before(other.id, step.id):
            found.setdefault(other.id, (other, "" if name is path else ".".join(path)))
    return list(found.values())


def _is_key(path: Path, other: BoundStep, flow: BoundFlow) -> bool:
    """Whether the path names what the other step's author wrote, which is known before anything runs."""
    return len(path) > 2 and path[2] in own_keys(other.written, flow.context.registry)


def _finding(route: Route, part: Part, step: BoundStep, other: BoundStep, through: str) -> Finding:
    behind = f": `{through}` holds its result" if through else ""
    message = f"`{other.id}` has not certainly ended when `{step.id}` starts{behind}"
    related = (RelatedRoute((*other.route, "id"), f"`{other.id}` is here"),)
    hint = f"add it to `needs` of `{step.id}`" if other.id != step.id else "a step cannot use its own result"
    return Finding(route, "not-upstream", message, hint, part=part, related=related)
