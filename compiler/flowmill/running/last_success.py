"""`last_success.start`: found when a run starts, and moved on to that start when every step has succeeded."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from flowmill.expressions.language import ExpressionError
from flowmill.expressions.render import as_text, marked, render
from flowmill.planning.plan import Plan
from flowmill.running.outcome import Outcome, RunOutcome, State
from flowmill.running.run import Run
from flowmill.running.success_times import TimesError, name_of
from flowmill.times.moments import moment

WHAT = "last_success"
"""What failed, where it was no step: `failure.step` in `on_failure`."""
UNKNOWN = "the time of the last success is not known"


async def recall(run: Run) -> Outcome | None:
    """Give the run its `last_success.start`, unless it has it already; the failure of a run that cannot have it."""
    if run.plan.last_success is None or run.last_success is not None:
        return None
    try:
        run.last_success = await run.runtime.aside(start_before, run)
    except (TimesError, ExpressionError) as error:
        return _failure(f"{UNKNOWN}: {error}")
    return None


def start_before(run: Run) -> datetime:
    """The start that is kept, or else the default, on the clocks of the flow.

    Raises:
        TimesError: what is kept cannot be read.
        ExpressionError: the default cannot be evaluated, or is no time.
    """
    kept = run.runtime.successes.read(name_of(run.plan))
    return kept.astimezone(ZoneInfo(run.plan.timezone)) if kept else _default(run)


def _default(run: Run) -> datetime:
    try:
        text = as_text(render(marked(run.plan.last_success), run.scope()))
    except ExpressionError as error:
        raise ExpressionError(f"its default: {error}") from None
    found = moment(text, ZoneInfo(run.plan.timezone))
    if found is None:
        raise ExpressionError("its default gives something that is neither a date nor a time")
    return found


async def keep(run: Run, outcome: RunOutcome) -> RunOutcome:
    """Keep the run's start, when it was a success; the end of the run, which has failed where that was not possible."""
    if run.plan.last_success is None or outcome.failure or reason_against(run.plan, outcome.steps):
        return outcome
    try:
        await run.runtime.aside(run.runtime.successes.advance, name_of(run.plan), run.facts.start)
    except TimesError as error:
        message = f"every step succeeded, but the time of this success could not be kept: {error}"
        return replace(outcome, failure=_failure(message))
    return replace(outcome, is_kept=True)


def reason_against(plan: Plan, steps: Mapping[str, Outcome]) -> str:
    """Why a run was no success, though it may have ended well; empty where it was one.

    A step that its own condition has skipped does not count against it.
    """
    for step in plan.steps:
        if steps[step.id].state is State.NOT_SELECTED:
            return f"`{step.id}` was left out"
        if steps[step.id].failed:
            return f"`{step.id}` failed"
    return ""


def not_begun(step: str) -> Outcome:
    """The outcome of a step in a run that has no `last_success.start` to give it."""
    return Outcome(step, State.SKIPPED, f"skipped because {UNKNOWN}", because=WHAT)


def _failure(message: str) -> Outcome:
    return Outcome(WHAT, State.FAILED, message, permanent=True)
