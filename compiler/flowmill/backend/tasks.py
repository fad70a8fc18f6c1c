"""One Prefect task per step: its retries are Prefect's, its work and its words are ours."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from prefect import Task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State as PrefectState
from prefect.logging import get_run_logger
from prefect.runtime import task_run

from flowmill.backend.states import edge, of_step
from flowmill.plan import StepPlan
from flowmill.running.attempt import attempt
from flowmill.running.outcome import Outcome, State
from flowmill.running.run import Run
from flowmill_tasks.base import Output, StepFailed, StepTimedOut


class StepTasks:
    """Runs the steps of one flow run as Prefect tasks, and remembers their states for the graph."""

    def __init__(self) -> None:
        self._states: dict[str, PrefectState[Any]] = {}

    async def run_step(self, step: StepPlan, run: Run, upstream: list[str], decided: Outcome | None) -> Outcome:
        """Carry out a step, or record that it is not carried out; see `conductor.StepRunner`."""
        outcomes: list[Outcome] = []

        async def work() -> "PrefectState[None]":
            outcome = decided or await _one_attempt(step, run)
            outcomes.append(outcome)
            return of_step(outcome)

        task = _task(step, work, lambda: bool(outcomes) and outcomes[-1].permanent)
        edges = [edge(self._states[name]) for name in upstream]
        self._states[step.id] = await task(return_state=True, wait_for=edges)
        outcome = outcomes[-1]
        run.runtime.observer.step_ended(step, outcome)
        return outcome


def _task(step: StepPlan, work: Callable[[], Awaitable[Any]], is_permanent: Callable[[], bool]) -> Task[Any, Any]:
    return Task(
        work,
        name=step.name,
        # A function, because Prefect would fill in what stands in braces in a text.
        task_run_name=lambda: step.name,
        retries=step.retries,
        retry_delay_seconds=list(step.retry_delays) or None,
        retry_condition_fn=lambda *_: not is_permanent(),
        cache_policy=NO_CACHE,
        persist_result=False,
    )


async def _one_attempt(step: StepPlan, run: Run) -> Outcome:
    number = int(task_run.run_count)
    log = _StepLog(step, run)
    run.runtime.observer.step_started(step, number)
    try:
        output = await attempt(step, run, number, log)
    except StepFailed as failure:
        outcome = _failed(step, failure, number, run.runtime.registry[step.type].output())
        log.error(failure.message)
        if number <= step.retries and not failure.permanent:
            run.runtime.observer.step_retries(step, failure.message, step.retry_delays[number - 1])
        return outcome
    return Outcome(step.id, State.SUCCESS, output=output, attempts=number)


def _failed(step: StepPlan, failure: StepFailed, attempts: int, output: Output) -> Outcome:
    state = State.TIMED_OUT if isinstance(failure, StepTimedOut) else State.FAILED
    return Outcome(
        step.id,
        state,
        failure.message,
        output,
        exit_code=failure.exit_code,
        tail=failure.tail,
        attempts=attempts,
        permanent=failure.permanent,
    )


class _StepLog:
    """Sends a step's lines to Prefect's run log and to whoever watches."""

    def __init__(self, step: StepPlan, run: Run) -> None:
        self._step = step
        self._observer = run.runtime.observer
        # Taken here, inside the task, so that it works from the step's thread as well.
        self._logger = get_run_logger()

    def _log(self, level: int, message: str) -> None:
        self._logger.log(level, "%s", message)
        self._observer.step_line(self._step, logging.getLevelName(level).lower(), message)

    def info(self, message: str) -> None:
        self._log(logging.INFO, message)

    def warning(self, message: str) -> None:
        self._log(logging.WARNING, message)

    def error(self, message: str) -> None:
        self._log(logging.ERROR, message)
