"""The attempts of a task: each with its end as an outcome, and what happens before the next.

Whoever carries tasks out keeps only the loop around this: Prefect on a worker, `flowmill test` in a test.
"""

from contextlib import nullcontext

from flowmill.running.attempt import CarryOut, attempt
from flowmill.running.outcome import Outcome, Retry, State, of_failure
from flowmill.running.run import Run
from flowmill.running.task import StepTask
from flowmill_tasks.base import Log, StepFailed
from flowmill_tasks.perform import perform


async def one_attempt(task: StepTask, run: Run, number: int, log: Log, carry_out: CarryOut = perform) -> Outcome:
    """Do the task once, under its mutex; `number` counts from 1."""
    step = task.step
    run.runtime.observer.step_started(task, number)
    try:
        async with run.runtime.mutexes.hold(step.mutex, log) if step.mutex else nullcontext():
            output = await attempt(task, run, number, log, carry_out)
    except StepFailed as failure:
        log.error(failure.message)
        return of_failure(step.id, failure, number, run.runtime.registry[step.type].output())
    return Outcome(step.id, State.SUCCESS, output=output, attempts=number)


def is_tried_again(task: StepTask, outcome: Outcome) -> bool:
    """Whether another attempt follows the one that ended so."""
    return outcome.failed and not outcome.permanent and outcome.attempts <= task.step.retries


async def before_retry(task: StepTask, run: Run, outcome: Outcome) -> None:
    """Tell whoever watches, and run the steps of `on_retry`, before the wait for the next attempt."""
    delay = task.step.retry_delays[outcome.attempts - 1]
    run.runtime.observer.step_retries(task, outcome.message, delay)
    if run.retrying is not None:
        retry = Retry(task.label, outcome.message, outcome.attempts, task.step.retries + 1, delay)
        await run.retrying(task, retry)
