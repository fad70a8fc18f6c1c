"""A run on a terminal: the log scrolls, and below it stands a line per step with its state and its time."""

import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from flowmill.local.plain_view import PlainView
from flowmill.planning.plan import Plan
from flowmill.report.style import Style
from flowmill.running.outcome import Outcome, RunOutcome, State
from flowmill.running.task import StepTask

_MARKS = {
    State.SUCCESS: Text("✓", "green"),
    State.FAILED: Text("✗", "red"),
    State.TIMED_OUT: Text("✗", "red"),
    State.SKIPPED: Text("-", "yellow"),
    State.NOT_SELECTED: Text("-", "dim"),
}


@dataclass(frozen=True)
class _Row:
    """A line of the board; `began` is None for a task that is not running."""

    label: str
    type: str
    mark: Text | Spinner
    began: float | None
    words: str


class LiveView(PlainView):
    """A `PlainView` with a board of the steps at the bottom of the terminal."""

    def __init__(self, console: Console) -> None:
        super().__init__(self._print, Style(colour=True))
        self._console = console
        self._lock = threading.Lock()
        self._rows: dict[str, _Row] = {}
        self._live = Live(console=console, get_renderable=self._board, refresh_per_second=8, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def _print(self, text: str) -> None:
        self._console.print(Text.from_ansi(text.rstrip("\n")), soft_wrap=True)

    def run_started(self, plan: Plan, run_id: str, url: str, name: str = "") -> None:
        super().run_started(plan, run_id, url, name)
        with self._lock:
            self._rows = {step.id: _Row(step.id, step.type, Text("·", "dim"), None, "waits") for step in plan.steps}

    def step_started(self, task: StepTask, attempt: int) -> None:
        super().step_started(task, attempt)
        with self._lock:
            if task.key != task.step.id:
                self._rows.pop(task.step.id, None)  # its elements stand for it
            began = self._rows[task.key].began if task.key in self._rows else None
            self._rows[task.key] = _row(task, Spinner("dots"), began or time.monotonic(), "")

    def step_ended(self, task: StepTask, outcome: Outcome) -> None:
        super().step_ended(task, outcome)
        with self._lock:
            began = self._rows[task.key].began if task.key in self._rows else None
            took = f"{time.monotonic() - began:.1f}s" if began else ""
            self._rows[task.key] = _row(task, _MARKS[outcome.state], None, took)

    def run_ended(self, outcome: RunOutcome) -> None:
        with self._lock:
            self._rows = {}
        super().run_ended(outcome)

    def _board(self) -> Table:
        table = Table.grid(padding=(0, 1))
        with self._lock:
            for row in self._rows.values():
                shown = f"{time.monotonic() - row.began:.0f}s" if row.began else row.words
                table.add_row(row.mark, Text(row.label, "bold"), Text(row.type, "dim"), Text(shown, "dim"))
        return table


def _row(task: StepTask, mark: Text | Spinner, began: float | None, words: str) -> _Row:
    return _Row(task.label, task.step.type, mark, began, words)
