"""`env` and `env_from` stand only where a process or container takes them."""

from collections.abc import Iterator

from flowmill.diagnostics import Finding
from flowmill.elaborating.bound_flow import BoundFlow

CODES = {"env-not-taken": "`env` or `env_from` on a step whose type starts no process, so the values would go nowhere."}


def check(flow: BoundFlow) -> Iterator[Finding]:
    for step in flow.all_steps():
        if step.model is None or step.model.takes_environment:
            continue
        for key in ("env", "env_from"):
            if key in step.written:
                message = f"`{key}` has no meaning for a step of type `{step.model.step_type}`"
                yield Finding((*step.route, key), "env-not-taken", message, "remove it", at_key=True)
