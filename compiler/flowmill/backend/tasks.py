"""One Prefect task per step, or per element of one: its retries are Prefect's, its work and its words are ours."""

import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any

from prefect import Task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State as PrefectState
from prefect.logging import get_run_logger
from prefect.runtime import task_run

from flowmill.backend.prefect_states import edge, of_step
from flowmill.running.attempts import before_retry, is_tried_again, one_attempt
from flowmill.running.outcome import Outcome
from flowmill.running.run import Run
from flowmill.running.task import StepTask


class StepTasks:
    """Runs the steps of one flow run as Prefect tasks, and remembers their states for the graph."""

    def __init__(self) -> None:
        self._states: defaultdict[str, list[PrefectState[Any]]] = defaultdict(list)

    async def run_task(self, task: StepTask, run: Run, upstream: list[str], decided: Outcome | None) -> Outcome:
        """Carry out a task, or record that it is not carried out; see `conductor.TaskRunner`."""
        outcomes: list[Outcome] = []

        async def work() -> "PrefectState[None]":
            outcome = decided or await _one_attempt(task, run)
            outcomes.append(outcome)
            return of_step(outcome)

        recorded = _recorded(task, run, work, lambda: bool(outcomes) and outcomes[-1].permanent)
        edges = [edge(state) for name in upstream for state in self._states[name]]
        self._states[task.step.id].append(await recorded(return_state=True, wait_for=edges))
        outcome = outcomes[-1]
        run.runtime.observer.step_ended(task, outcome)
        return outcome


def _recorded(
    task: StepTask, run: Run, work: Callable[[], Awaitable[Any]], is_permanent: Callable[[], bool]
) -> Task[Any, Any]:
    name = task.name(run)
    return Task(
        work,
        name=task.step.id,
        # A function, because Prefect would fill in what stands in braces in a text.
        task_run_name=lambda: name,
        retries=task.step.retries,
        retry_delay_seconds=list(task.step.retry_delays) or None,
        retry_condition_fn=lambda *_: not is_permanent(),
        cache_policy=NO_CACHE,
        persist_result=False,
    )


async def _one_attempt(task: StepTask, run: Run) -> Outcome:
    outcome = await one_attempt(task, run, int(task_run.run_count), _StepLog(task, run))
    if is_tried_again(task, outcome):
        await before_retry(task, run, outcome)
    return outcome


class _StepLog:
    """Sends a step's lines to Prefect's run log and to whoever watches."""

    def __init__(self, task: StepTask, run: Run) -> None:
        self._task = task
        self._observer = run.runtime.observer
        # Taken here, inside the task, so that it works from the step's thread as well.
        self._logger = get_run_logger()

    def _log(self, level: int, message: str) -> None:
        self._logger.log(level, "%s", message)
        self._observer.step_line(self._task, logging.getLevelName(level).lower(), message)

    def info(self, message: str) -> None:
        self._log(logging.INFO, message)

    def warning(self, message: str) -> None:
        self._log(logging.WARNING, message)

    def error(self, message: str) -> None:
        self._log(logging.ERROR, message)
