"""The order of a run: every step as soon as those it needs have ended, then the handlers, each once.

What carries a step out is given from outside, so the rules here hold whoever does (see docs/language.md):
a step runs when every step it needs has succeeded, or failed with `continue_on_error`; otherwise it is skipped
and says because of which step. The run has failed when a step has failed that may not. Handlers run in order
after the steps and change nothing about the run's state.
"""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Protocol

from flowmill.plan import Plan, StepPlan
from flowmill.running.outcome import Outcome, RunOutcome, State
from flowmill.running.run import Run


class StepRunner(Protocol):
    """Carries out one step, all its attempts included, and says how it ended. It does not raise."""

    def __call__(self, step: StepPlan, run: Run, upstream: list[str], decided: Outcome | None) -> Awaitable[Outcome]:
        """`decided` is the outcome of a step that is not to run at all, and is only recorded."""
        ...


async def conduct(run: Run, run_step: StepRunner) -> RunOutcome:
    """Run the plan's steps and handlers to the end."""
    await _run_steps(run, run_step)
    failure = _first_failure(run.plan, run.outcomes)
    outcome = RunOutcome({step.id: run.outcomes[step.id] for step in run.plan.steps}, failure)
    run.failure = failure
    for step in (*(run.plan.on_failure if failure else run.plan.on_success), *run.plan.finally_):
        run.outcomes[step.id] = await run_step(step, run, [], None)
    return outcome


async def _run_steps(run: Run, run_step: StepRunner) -> None:
    chosen = run.runtime.selection.chosen(run.plan)
    ended = {step.id: asyncio.Event() for step in run.plan.steps}

    async def one(step: StepPlan) -> None:
        for name in step.needs:
            await ended[name].wait()
        decided = _decide(step, run.plan, run.outcomes, chosen)
        run.outcomes[step.id] = await run_step(step, run, list(step.needs), decided)
        ended[step.id].set()

    async with asyncio.TaskGroup() as group:
        for step in run.plan.steps:
            group.create_task(one(step))


def _decide(step: StepPlan, plan: Plan, outcomes: Mapping[str, Outcome], chosen: frozenset[str]) -> Outcome | None:
    """The outcome of a step that must not run, or None for one that may."""
    if step.id not in chosen:
        return Outcome(step.id, State.NOT_SELECTED, "not selected for this run")
    allowed = {other.id for other in plan.steps if other.continue_on_error}
    for name in step.needs:
        upstream = outcomes[name]
        if upstream.blocks and not (upstream.failed and name in allowed):
            cause = upstream.because or name
            return Outcome(step.id, State.SKIPPED, f"skipped because `{cause}` failed", because=cause)
    return None


def _first_failure(plan: Plan, outcomes: Mapping[str, Outcome]) -> Outcome | None:
    """The first step in file order that failed and was not allowed to."""
    return next((outcomes[s.id] for s in plan.steps if outcomes[s.id].failed and not s.continue_on_error), None)
