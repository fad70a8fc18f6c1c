"""A run as plain lines, for a pipe or a CI log: what happened, to which step, when."""

import time
from collections.abc import Callable
from datetime import datetime

from flowmill.local.picture import COLOURS, Bar, picture
from flowmill.planning.plan import Plan
from flowmill.report.style import Style, printable
from flowmill.running.outcome import Outcome, RunOutcome, State
from flowmill.running.task import StepTask
from flowmill_tasks.duration import in_words

_WORDS = {State.SUCCESS: "ok"}


class PlainView:
    """An `Observer` that writes one line per event."""

    def __init__(self, write: Callable[[str], None], style: Style) -> None:
        self._write = write
        self._style = style
        self._width = 0
        self._started: dict[str, float] = {}
        self._bars: list[Bar] = []
        self._begun = time.monotonic()
        self.outcome: RunOutcome | None = None
        """How the run has ended; None before that."""

    def run_started(self, plan: Plan, run_id: str, url: str, name: str = "") -> None:
        self._width = max(len(step.id) for group in plan.groups.values() for step in group)
        self._begun = time.monotonic()
        title = self._style.paint(f"{plan.name} in {plan.environment}", "bold")
        self._write(f"{title}{f' (`{name}`)' if name else ''}, run {run_id}\n")

    def step_started(self, task: StepTask, attempt: int) -> None:
        self._started.setdefault(task.key, time.monotonic())
        again = f" (attempt {attempt} of {task.step.retries + 1})" if attempt > 1 else ""
        self._event(task, f"started: {task.step.type}{again}")

    def step_line(self, task: StepTask, level: str, text: str) -> None:
        colour = {"warning": "yellow", "error": "red"}.get(level)
        for line in text.splitlines() or [""]:
            shown = printable(line)
            self._event(task, f"| {self._style.paint(shown, colour) if colour else shown}")

    def step_retries(self, task: StepTask, message: str, delay: float) -> None:
        self._event(task, self._style.paint(f"tries again in {in_words(delay)}", "yellow"))

    def step_ended(self, task: StepTask, outcome: Outcome) -> None:
        word, colour = _WORDS.get(outcome.state, outcome.state.value.replace("_", " ")), COLOURS[outcome.state]
        started = self._started.pop(task.key, None)
        now = time.monotonic()
        start, end = (None, None) if started is None else (started - self._begun, now - self._begun)
        self._bars.append(Bar(task.label, outcome.state, start, end))
        took = "" if started is None else f" in {now - started:.1f}s"
        # A failure has been printed as the step's last line already; a skipped step's message says the word.
        text = outcome.message if outcome.message and not outcome.failed else f"{word}{took}"
        self._event(task, self._style.paint(text, colour))

    def run_ended(self, outcome: RunOutcome) -> None:
        self.outcome = outcome
        word, colour = ("failed", "red") if outcome.failure else ("succeeded", "green")
        text = f"run {word} in {_seconds(self._begun)}: {printable(outcome.message)}"
        self._write(self._style.paint(text, colour, "bold") + "\n")
        for line in picture(self._bars, self._style):
            self._write(line + "\n")

    def _event(self, task: StepTask, text: str) -> None:
        now = datetime.now().strftime("%H:%M:%S")
        self._width = max(self._width, len(task.label))  # elements are only known now
        self._write(f"{self._style.paint(now, 'dim')} {task.label:<{self._width}} {text}\n")


def _seconds(since: float) -> str:
    return f"{time.monotonic() - since:.1f}s"
