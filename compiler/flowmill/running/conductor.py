"""The order of a run: every step as soon as those it needs have ended, then the handlers, each once.

What carries a task out is given from outside, so the rules here hold whoever does (see docs/language.md).
Whether a step runs is decided in `conditions`, what it runs over in `elements`, what is remembered of it in
`last_success`. The run has failed when a step has failed that may not, or when the time of the last success can
be neither read nor kept. Handlers run in order after the steps and change nothing about the run's state;
`on_retry` runs whenever a task is about to be tried again.
"""

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import replace
from functools import partial
from typing import Protocol, cast

from flowmill.expressions.language import ExpressionError
from flowmill.planning.ancestors import ancestors
from flowmill.planning.plan import Plan, StepPlan
from flowmill.running.conditions import decide, decide_handler, failed_before
from flowmill.running.elements import NOTHING_TO_DO, Elements, elements_of, run_elements, summary
from flowmill.running.last_success import keep, not_begun, recall
from flowmill.running.outcome import Outcome, Retry, RunOutcome, State
from flowmill.running.run import Run
from flowmill.running.task import StepTask, whole
from flowmill_tasks.base import Output


class TaskRunner(Protocol):
    """Carries out one task, all its attempts included, and says how it ended. It does not raise."""

    def __call__(self, task: StepTask, run: Run, upstream: list[str], decided: Outcome | None) -> Awaitable[Outcome]:
        """`decided` is the outcome of a task that is not to run at all, and is only recorded."""
        ...


async def conduct(run: Run, run_task: TaskRunner) -> RunOutcome:
    """Run the plan's steps and handlers to the end."""
    run.retrying = partial(_before_retry, run, run_task)
    outcome = await _before_handlers(run, run_task)
    run.failure = outcome.failure
    for step in (*(run.plan.on_failure if run.failure else run.plan.on_success), *run.plan.finally_):
        decided = await run.runtime.aside(decide_handler, step, run)
        run.outcomes[step.id] = await _run_step(step, run, run_task, decided)
    return outcome


async def _before_handlers(run: Run, run_task: TaskRunner) -> RunOutcome:
    """Run the steps between what the run remembers and what it keeps; without the former, none of them."""
    unable = await recall(run)
    await _run_steps(run, run_task, unable)
    steps = {step.id: run.outcomes[step.id] for step in run.plan.steps}
    return await keep(run, RunOutcome(steps, unable or _first_failure(run.plan, run.outcomes)))


async def _run_steps(run: Run, run_task: TaskRunner, unable: Outcome | None) -> None:
    chosen = run.runtime.selection.chosen(run.plan)
    before = ancestors(run.plan)
    ended = {step.id: asyncio.Event() for step in run.plan.steps}

    async def one(step: StepPlan) -> None:
        for name in step.needs:
            await ended[name].wait()
        if unable:
            decided: Outcome | None = not_begun(step.id)
        else:
            decided = _not_selected(step, run) if step.id not in chosen else await _decided(step, run, before[step.id])
        run.outcomes[step.id] = await _run_step(step, run, run_task, decided)
        ended[step.id].set()

    async with asyncio.TaskGroup() as group:
        for step in run.plan.steps:
            group.create_task(one(step))


def _not_selected(step: StepPlan, run: Run) -> Outcome:
    kept = run.runtime.selection.kept.get(step.id)
    return kept or Outcome(step.id, State.NOT_SELECTED, "not selected for this run")


async def _decided(step: StepPlan, run: Run, before: frozenset[str]) -> Outcome | None:
    failed = failed_before(run.plan, before, run.outcomes)
    return await run.runtime.aside(decide, step, run, failed)


async def _run_step(step: StepPlan, run: Run, run_task: TaskRunner, decided: Outcome | None) -> Outcome:
    """Carry out a step, once or for each of its elements."""
    upstream = list(step.needs)
    if decided or step.elements is None:
        return await run_task(whole(step), run, upstream, decided and _with_nothing(step, run, decided))
    try:
        tasks = await run.runtime.aside(elements_of, step, step.elements, run)
    except ExpressionError as error:
        return await run_task(whole(step), run, upstream, Outcome(step.id, State.FAILED, str(error), permanent=True))
    if not tasks:
        empty = summary(step, [], [])
        return await run_task(whole(step), run, upstream, replace(empty, message=NOTHING_TO_DO))
    outcomes = await run_elements(step.elements, tasks, lambda task, skip: run_task(task, run, upstream, skip))
    whole_step = summary(step, tasks, outcomes)
    # What it ran over may have come out of a secret.
    return replace(whole_step, output=cast(Output, run.redactor.mask_model(whole_step.output)))


def _with_nothing(step: StepPlan, run: Run, decided: Outcome) -> Outcome:
    """The outcome of a step that did not run, with empty results: later steps may ask for them."""
    if type(decided.output) is not Output:
        return decided  # results of an earlier run
    return replace(decided, output=Elements() if step.elements else run.runtime.registry[step.type].output())


async def _before_retry(run: Run, run_task: TaskRunner, task: StepTask, retry: Retry) -> None:
    """Run the steps of `on_retry`, in order; none of them changes anything about the run."""
    for step in run.plan.on_retry:
        key = f"{step.id}.{task.key}.{retry.attempt}"
        handler = StepTask(step, step.id, key, {"retry": retry.fields()})
        decided = await run.runtime.aside(decide_handler, step, run, handler.names)
        run.outcomes[step.id] = await run_task(handler, run, [], decided)


def _first_failure(plan: Plan, outcomes: Mapping[str, Outcome]) -> Outcome | None:
    """The first step in file order that failed and was not allowed to."""
    return next((outcomes[s.id] for s in plan.steps if outcomes[s.id].failed and not s.continue_on_error), None)
