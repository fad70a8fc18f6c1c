"""Carrying a plan out without starting anything: attempts and retries as the plan says, at once and one at a time.

Steps that are ready at the same time start in the order of the file, so a test sees the same order each time.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from flowmill.running.attempts import before_retry, is_tried_again, one_attempt
from flowmill.running.outcome import Outcome
from flowmill.running.run import Run
from flowmill.running.task import StepTask
from flowmill.testing.outbox import Outbox
from flowmill.testing.spec import Result
from flowmill_tasks.base import Output, Step, StepRun
from flowmill_tasks.perform import perform
from flowmill_tasks.pretend import End, pretend


@dataclass
class Attempt:
    """One attempt of one task, and what it would have done; `recorded` is None where it did not get that far."""

    label: str
    recorded: dict[str, Any] | None = None
    env: dict[str, str] = field(default_factory=dict)


class Recorder:
    """Carries tasks out as a test says, and keeps what each of them did.

    Attributes:
        attempts: everything that was started, in order.
        ended: the ends of tasks by their labels, of those too that were not started.
    """

    def __init__(self, results: Mapping[str, list[Result]], real: frozenset[str], outbox: Outbox) -> None:
        """
        Args:
            results: how attempts end, by the id of a step or the label of an element.
            real: the ids of steps that are run in earnest.
        """
        self.attempts: list[Attempt] = []
        self.ended: dict[str, Outcome] = {}
        self._results, self._real, self._outbox = results, real, outbox
        self._turn = asyncio.Lock()

    async def run_task(self, task: StepTask, run: Run, upstream: list[str], decided: Outcome | None) -> Outcome:
        """See `conductor.TaskRunner`."""
        outcome = decided or await self._all_attempts(task, run)
        self.ended[task.label] = outcome
        return outcome

    async def _all_attempts(self, task: StepTask, run: Run) -> Outcome:
        number = 1
        while True:
            async with self._turn:
                outcome = await self._one_attempt(task, run, number)
            if not is_tried_again(task, outcome):
                return outcome
            await before_retry(task, run, outcome)
            number += 1

    async def _one_attempt(self, task: StepTask, run: Run, number: int) -> Outcome:
        started = Attempt(task.label)
        self.attempts.append(started)
        return await one_attempt(task, run, number, Silence(), partial(self._carry_out, task, started))

    async def _carry_out(
        self, task: StepTask, started: Attempt, step: Step, run: StepRun, timeout: float | None
    ) -> Output:
        started.recorded, started.env = step.recorded(run), dict(run.environ)
        if task.step.id in self._real:
            return await perform(step, run, timeout)
        result = self._result(task, run.attempt)
        if result is None and step.delivery_fields:
            output = step.execute(run)
            self._outbox.collect()
            return output
        return pretend(step, run, _end(result or Result()), timeout)

    def _result(self, task: StepTask, number: int) -> Result | None:
        found = self._results.get(task.label) or self._results.get(task.step.id)
        return found[min(number, len(found)) - 1] if found else None


def _end(result: Result) -> End:
    further = {"result": result.result} if result.result is not None else {}
    return End(
        stdout=result.stdout,
        exit_code=result.exit_code,
        error=result.error,
        permanent=result.permanent,
        timed_out=result.timeout,
        outputs={**further, **result.outputs},
    )


class Silence:
    """A log that nobody reads."""

    def info(self, message: str) -> None: ...
    def warning(self, message: str) -> None: ...
    def error(self, message: str) -> None: ...
