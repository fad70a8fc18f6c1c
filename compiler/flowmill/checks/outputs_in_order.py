"""A step uses the results of steps that have certainly ended before it."""

from collections.abc import Iterator

from flowmill.diagnostics import Finding, Part, RelatedRoute, Route
from flowmill.elaborating.bound_flow import BoundFlow, BoundStep
from flowmill.elaborating.expression_findings import step_expressions
from flowmill.elaborating.shapes import own_keys
from flowmill.expressions.language import Path

CODES = {"not-upstream": "An expression uses the result of a step that may not have run yet: add it to `needs`."}


def check(flow: BoundFlow) -> Iterator[Finding]:
    steps = {step.id: step for step in flow.steps}
    for step in flow.steps:
        for route, piece, parsed in step_expressions(step.written, step.route):
            for path in parsed.references:
                other = steps.get(path[1]) if len(path) > 1 and path[0] == "steps" else None
                if other and not _is_key(path, other, flow) and not flow.ends_before(other.id, step.id):
                    place = parsed.place(path[:2])
                    part = Part(piece.start + place.start, piece.start + place.end)
                    yield _finding(route, part, step, other)


def _is_key(path: Path, other: BoundStep, flow: BoundFlow) -> bool:
    """Whether the path names what the other step's author wrote, which is known before anything runs."""
    return len(path) > 2 and path[2] in own_keys(other.written, flow.context.registry)


def _finding(route: Route, part: Part, step: BoundStep, other: BoundStep) -> Finding:
    message = f"`{other.id}` has not certainly ended when `{step.id}` starts"
    related = (RelatedRoute((*other.route, "id"), f"`{other.id}` is here"),)
    hint = f"add it to `needs` of `{step.id}`" if other.id != step.id else "a step cannot use its own result"
    return Finding(route, "not-upstream", message, hint, part=part, related=related)
