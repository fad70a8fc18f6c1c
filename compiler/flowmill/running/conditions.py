"""Whether a step runs: its `if`, and what has happened to the steps that it needs, directly or through others.

The rules are those of the truth table in docs/language.md. `failure()` is true when one of those steps has
failed that has no `continue_on_error`; `success()` is its opposite; without any of the two, and without
`always()`, a step asks for `success()` first. So what runs after a failure can never hide it from the steps
behind.
"""

from collections.abc import Mapping
from typing import Any

from flowmill.expressions.language import ExpressionError, Parsed, parse
from flowmill.planning.plan import Plan, StepPlan
from flowmill.running.outcome import Outcome, State
from flowmill.running.run import Run


def failed_before(plan: Plan, before: frozenset[str], outcomes: Mapping[str, Outcome]) -> str | None:
    """The first of the steps in `before` that has failed and may not; None when there is none."""
    return next(
        (s.id for s in plan.steps if s.id in before and outcomes[s.id].failed and not s.continue_on_error), None
    )


def decide(step: StepPlan, run: Run, failed: str | None) -> Outcome | None:
    """The outcome of a step that is not to run, or None for one that is.

    Args:
        failed: the step before it that has failed, if any; for a handler, the one because of which the run has.
    """
    if step.condition is None:
        return _blocked(step, failed)
    parsed = parse(step.condition)
    if not isinstance(parsed, Parsed):
        return _unusable(step, parsed[0].message)
    if failed and not parsed.asks_for_status:
        return _blocked(step, failed)
    return _by_condition(step, parsed, run, failed)


def decide_handler(step: StepPlan, run: Run, names: Mapping[str, Any] | None = None) -> Outcome | None:
    """The same for a step of a handler: it asks for nothing but what its `if` says, and may use further `names`."""
    parsed = parse(step.condition) if step.condition is not None else None
    failed = run.failure.step if run.failure else None
    return _by_condition(step, parsed, run, failed, names) if isinstance(parsed, Parsed) else None


def _by_condition(
    step: StepPlan, parsed: Parsed, run: Run, failed: str | None, names: Mapping[str, Any] | None = None
) -> Outcome | None:
    try:
        value = parsed.evaluate(_with_status(run.scope(names), failed))
    except ExpressionError as error:
        return _unusable(step, str(error))
    if not isinstance(value, bool):
        return _unusable(step, "gives something else than true or false; compare it with something")
    message = f"skipped: `{parsed.source}` is false"
    return None if value else Outcome(step.id, State.SKIPPED, message)


def _with_status(scope: dict[str, Any], failed: str | None) -> dict[str, Any]:
    failure = _Failure(scope["failure"], failed)
    return {**scope, "success": lambda: failed is None, "failure": failure, "always": lambda: True}


class _Failure(dict[str, Any]):
    """`failure()`, and in `on_failure` also `failure.step` and its like."""

    def __init__(self, fields: Mapping[str, Any], failed: str | None) -> None:
        super().__init__(fields)
        self._failed = failed

    def __call__(self) -> bool:
        return self._failed is not None


def _blocked(step: StepPlan, failed: str | None) -> Outcome | None:
    if failed is None:
        return None
    return Outcome(step.id, State.SKIPPED, f"skipped because `{failed}` failed", because=failed)


def _unusable(step: StepPlan, problem: str) -> Outcome:
    return Outcome(step.id, State.FAILED, f"`if`: {problem}", permanent=True)
