"""What a step does for each state of the steps before it and each `if`: tried out, for the tests and for the docs."""

from collections.abc import Mapping
from dataclasses import dataclass

from flowmill.planning.plan import StepPlan
from flowmill.running.outcome import State
from flowmill.running.runtime import Selection
from support.conducted import Ends, conducted, plan, step

BEFORE: Mapping[str, tuple[tuple[StepPlan, ...], Mapping[str, State]]] = {
    "has succeeded": ((step("before"),), {}),
    "has failed": ((step("before"),), {"before": State.FAILED}),
    "has timed out": ((step("before"),), {"before": State.TIMED_OUT}),
    "has failed, with `continue_on_error`": ((step("before", continue_on_error=True),), {"before": State.FAILED}),
    "was skipped by its own `if`": ((step("before", condition="false"),), {}),
    "was skipped, for one before it has failed": ((step("first"), step("before", ["first"])), {"first": State.FAILED}),
    "has succeeded, after one before it has failed": (
        (step("first"), step("before", ["first"], condition="always()")),
        {"first": State.FAILED},
    ),
    "was left out by `--only` or `--from`": ((step("before"),), {}),
}
"""The step before (`before`), in words: the steps up to it, and how they end."""

CONDITIONS: Mapping[str, str | None] = {
    "no `if`": None,
    "`success()`": "success()",
    "`failure()`": "failure()",
    "`always()`": "always()",
    "an expression that is true": "environment == 'staging'",
    "an expression that is false": "environment == 'production'",
    "one that cannot be evaluated": "steps.nowhere.exit_code == 0",
}

ENDS: Mapping[str, tuple[State, bool]] = {
    "succeeds": (State.SUCCESS, False),
    "fails": (State.FAILED, False),
    "fails, with `continue_on_error`": (State.FAILED, True),
}
"""How the step itself ends when it runs, and whether it may fail."""


@dataclass(frozen=True)
class Row:
    """One combination, and what came of it."""

    before: str
    condition: str
    end: str
    state: State
    ran: bool
    run_failed: bool


def row(before: str, condition: str, end: str) -> Row:
    """Try one combination."""
    steps, states = BEFORE[before]
    state, allowed = ENDS[end]
    last = step("last", [steps[-1].id], condition=CONDITIONS[condition], continue_on_error=allowed)
    ends = Ends({**states, "last": state})
    selection = Selection(only="last") if before.startswith("was left out") else Selection()
    outcome, run = conducted(plan([*steps, last]), ends, selection=selection)
    return Row(before, condition, end, run.outcomes["last"].state, "last" in ends.started, bool(outcome.failure))


def rows() -> list[Row]:
    """Every combination."""
    return [row(before, condition, end) for before in BEFORE for condition in CONDITIONS for end in ENDS]
