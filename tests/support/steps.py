"""Running one step the way a run does, without a flow around it."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flowmill_tasks.base import Output, Step, StepRun
from flowmill_tasks.cancellation import Cancellation
from flowmill_tasks.perform import perform


@dataclass
class ListLog:
    """A step's log that keeps its lines."""

    lines: list[str] = field(default_factory=list)

    def info(self, message: str) -> None:
        self.lines.append(message)

    warning = info
    error = info


def step_run(directory: Path, **changes: Any) -> StepRun:
    """A `StepRun` for tests: the folder is both the spec's and the project's."""
    values: dict[str, Any] = {
        "step_id": "it",
        "key": "run-1.it",
        "log": ListLog(),
        "cancellation": Cancellation(),
        "directory": directory,
        "root": directory,
        "labels": {"project": "demo", "flow": "it", "environment": "staging", "run": "run-1"},
    }
    return StepRun(**{**values, **changes})


def run_step(step: Step, run: StepRun, timeout: float | None = None) -> Output:
    """Perform one attempt of a step, blocking; raises what `perform` raises."""
    return asyncio.run(perform(step, run, timeout))
