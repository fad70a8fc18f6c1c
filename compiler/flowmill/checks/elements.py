"""`foreach` and `matrix` exclude each other, and what tells how to go through them needs one of them."""

from collections.abc import Iterator

from flowmill.diagnostics import Finding, RelatedRoute
from flowmill.elaborating.bound_flow import BoundFlow, BoundStep
from flowmill.spec.flow import OF_ELEMENTS

CODES = {"bad-elements": "`foreach`, `matrix`, `max_parallel` and `fail_fast` of a step do not fit together."}


def check(flow: BoundFlow) -> Iterator[Finding]:
    for step in flow.steps:
        yield from _both(step) if {"foreach", "matrix"} <= step.written.keys() else _without(step)


def _both(step: BoundStep) -> Iterator[Finding]:
    related = (RelatedRoute((*step.route, "foreach"), "`foreach` is here", at_key=True),)
    hint = "take one of them out; a `matrix` with a single list is a `foreach` with a name"
    message = "a step has `foreach` or `matrix`, not both"
    yield Finding((*step.route, "matrix"), "bad-elements", message, hint, at_key=True, related=related)


def _without(step: BoundStep) -> Iterator[Finding]:
    if {"foreach", "matrix"} & step.written.keys():
        return
    for key in OF_ELEMENTS:
        if key in step.written:
            message = f"`{key}` has no meaning without `foreach` or `matrix`"
            yield Finding(
                (*step.route, key), "bad-elements", message, "remove it, or say what to run over", at_key=True
            )
