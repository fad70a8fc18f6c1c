"""Steps of handlers have no keys that only mean something in the flow's graph."""

from collections.abc import Iterator

from flowmill.diagnostics import Finding
from flowmill.elaborating.bound_flow import BoundFlow
from flowmill.spec.flow import keys_out_of_place

CODES = {
    "key-in-handler": "A key that has no meaning in `on_retry`, `on_failure`, `on_success` or `finally`, whose steps "
    "run in order, each once.",
}


def check(flow: BoundFlow) -> Iterator[Finding]:
    for step in flow.all_steps():
        for key in keys_out_of_place(step.group):
            if key in step.written:
                message = f"`{key}` has no meaning in `{step.group}`"
                hint = "its steps run in order, each once; one that fails stops nothing and changes no state"
                yield Finding((*step.route, key), "key-in-handler", message, hint, at_key=True)
