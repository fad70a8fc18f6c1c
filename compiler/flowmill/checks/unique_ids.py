"""No two steps of a flow share an id, handlers included."""

from collections.abc import Iterator

from flowmill.diagnostics import Finding, RelatedRoute
from flowmill.elaborating.bound_flow import BoundFlow, BoundStep

CODES = {"duplicate-id": "Two steps of one flow have the same `id`, so `needs` and expressions cannot tell them apart."}


def check(flow: BoundFlow) -> Iterator[Finding]:
    first: dict[str, BoundStep] = {}
    for step in flow.all_steps():
        other = first.setdefault(step.id, step)
        if step.id and other is not step:
            related = (RelatedRoute((*other.route, "id"), "first used here"),)
            message = f"two steps have the id `{step.id}`"
            yield Finding(
                (*step.route, "id"),
                "duplicate-id",
                message,
                "give each step an id of its own",
                related=related,
            )
