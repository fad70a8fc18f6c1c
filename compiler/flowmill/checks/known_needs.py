"""`needs` names steps of the same flow."""

from collections.abc import Iterator

from flowmill.corrections import corrected
from flowmill.diagnostics import Finding
from flowmill.elaborating.bound_flow import BoundFlow, BoundStep
from flowmill.suggest import did_you_mean

CODES = {
    "unknown-step": "`needs` names a step that the flow does not have.",
}


def check(flow: BoundFlow) -> Iterator[Finding]:
    ids = [step.id for step in flow.steps if step.id]
    for step in flow.steps:
        yield from _unknown(step, ids)


def _unknown(step: BoundStep, ids: list[str]) -> Iterator[Finding]:
    needs = step.keys.needs
    for index, name in enumerate(needs or []):
        if name not in ids:
            written_as_list = isinstance(step.written.get("needs"), list)
            route = (*step.route, "needs", *([index] if written_as_list else []))
            others = [other for other in ids if other != step.id]
            message, fix = f"there is no step `{name}`", corrected(route, name, others)
            yield Finding(route, "unknown-step", message, did_you_mean(name, others), fix=fix)
