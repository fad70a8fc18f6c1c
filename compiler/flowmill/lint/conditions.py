"""The conditions of a flow's steps, and what each of them can come to."""

from collections.abc import Iterator

from flowmill.elaborating.bound_flow import BoundStep
from flowmill.lint.subjects import LintedFlow
from flowmill.lint.truth import Known, possible_values

_DIFFER = ("environment", "vars", "server", "steps")
"""What may be another value in another environment, for which the condition may be meant."""


def conditions(flow: LintedFlow) -> Iterator[BoundStep]:
    """The steps, those of handlers included, that have an `if`."""
    yield from (step for step in flow.bound.all_steps() if step.keys.if_ is not None)


def possible(flow: LintedFlow, step: BoundStep) -> frozenset[bool]:
    """What the condition of a step can come to: true, false or both."""
    alone = isinstance(flow.bound.spec.environment, str) or len(flow.bound.spec.environment) == 1
    constants = {name: value for name, value in flow.bound.constants.items() if alone or name not in _DIFFER}
    parameters = {it.name: it for it in flow.plan.parameters}
    known = Known(constants, parameters, _can_fail(flow, step), step.group not in ("on_failure", "on_retry"))
    return possible_values(step.keys.if_ or "", known)


def _can_fail(flow: LintedFlow, step: BoundStep) -> bool:
    """Whether something can have failed when the condition is asked for."""
    if step.group != "steps":
        return step.group != "on_success"
    before = (other for other in flow.bound.steps if flow.bound.ends_before(other.id, step.id))
    return any(not other.keys.continue_on_error for other in before)
