"""`needs` names steps of the same flow; handlers have no `needs`."""

from collections.abc import Iterator

from flowmill.diagnostics import Finding
from flowmill.flow import BoundFlow, BoundStep
from flowmill.suggest import did_you_mean

CODES = {
    "unknown-step": "`needs` names a step that the flow does not have.",
    "key-in-handler": "A key that has no meaning in `on_retry`, `on_failure`, `on_success` or `finally`, whose steps "
    "run in order, each once.",
}

_ONLY_IN_STEPS = ("needs", "continue_on_error", "foreach", "matrix", "max_parallel", "fail_fast")


def check(flow: BoundFlow) -> Iterator[Finding]:
    ids = [step.id for step in flow.steps if step.id]
    for step in flow.steps:
        yield from _unknown(step, ids)
    for step in flow.all_steps():
        if step.group != "steps":
            yield from _without_meaning(step)


def _unknown(step: BoundStep, ids: list[str]) -> Iterator[Finding]:
    needs = step.keys.needs
    for index, name in enumerate(needs or []):
        if name not in ids:
            written_as_list = isinstance(step.written.get("needs"), list)
            route = (*step.route, "needs", *([index] if written_as_list else []))
            others = [other for other in ids if other != step.id]
            yield Finding(route, "unknown-step", f"there is no step `{name}`", did_you_mean(name, others))


def _without_meaning(step: BoundStep) -> Iterator[Finding]:
    for key in _ONLY_IN_STEPS:
        if key in step.written:
            message = f"`{key}` has no meaning in `{step.group}`"
            hint = "its steps run in order, each once; one that fails stops nothing and changes no state"
            yield Finding((*step.route, key), "key-in-handler", message, hint, at_key=True)
