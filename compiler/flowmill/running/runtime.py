"""What a run uses from outside its plan: the clock, the secrets, where messages go, who watches."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from anyio import to_thread

from flowmill.planning.plan import Plan, StepPlan
from flowmill.running.mutex import InProcess, Mutexes
from flowmill.running.outcome import Outcome, RunOutcome
from flowmill.running.secrets import SecretStore
from flowmill.running.success_times import InMemory, SuccessTimes
from flowmill_tasks.base import Document, publish_nowhere
from flowmill_tasks.registry import Registry

if TYPE_CHECKING:
    from flowmill.running.task import StepTask


T = TypeVar("T")


class Aside(Protocol):
    """Does work that may block without holding up the other steps."""

    def __call__(self, work: Callable[..., T], *arguments: Any) -> Awaitable[T]: ...


async def in_thread(work: Callable[..., T], *arguments: Any) -> T:
    """Do the work in a thread: it may ask a server for a secret."""
    return await to_thread.run_sync(work, *arguments)


class Observer(Protocol):
    """Told what happens in a run, from any thread; texts have their secrets masked already."""

    def run_started(self, plan: Plan, run_id: str, url: str, name: str = "") -> None: ...
    def step_started(self, task: "StepTask", attempt: int) -> None: ...
    def step_line(self, task: "StepTask", level: str, text: str) -> None: ...
    def step_retries(self, task: "StepTask", message: str, delay: float) -> None: ...
    def step_ended(self, task: "StepTask", outcome: Outcome) -> None: ...
    def run_ended(self, outcome: RunOutcome) -> None: ...


class Nobody:
    """Watches nothing."""

    def run_started(self, plan: Plan, run_id: str, url: str, name: str = "") -> None: ...
    def step_started(self, task: "StepTask", attempt: int) -> None: ...
    def step_line(self, task: "StepTask", level: str, text: str) -> None: ...
    def step_retries(self, task: "StepTask", message: str, delay: float) -> None: ...
    def step_ended(self, task: "StepTask", outcome: Outcome) -> None: ...
    def run_ended(self, outcome: RunOutcome) -> None: ...


@dataclass(frozen=True)
class Selection:
    """Which steps to run: all, one, or one and everything after it.

    Attributes:
        kept: the outcomes that earlier runs have left of steps that are not run, by step.
    """

    only: str | None = None
    start: str | None = None
    kept: Mapping[str, Outcome] = field(default_factory=dict)

    def chosen(self, plan: Plan) -> frozenset[str]:
        """The ids of the steps to run."""
        if self.only:
            return frozenset({self.only})
        if self.start is None:
            return frozenset(step.id for step in plan.steps)
        chosen = {self.start}
        for step in _in_order(plan):
            if chosen & set(step.needs):
                chosen.add(step.id)
        return frozenset(chosen)


def _in_order(plan: Plan) -> list[StepPlan]:
    """The steps so that each stands behind those that it needs."""
    placed: list[StepPlan] = []
    waiting = list(plan.steps)
    while waiting:
        ids = {step.id for step in placed}
        ready = [step for step in waiting if ids.issuperset(step.needs)]
        placed += ready
        waiting = [step for step in waiting if step not in ready]
    return placed


@dataclass(frozen=True)
class Runtime:
    """The services of a run.

    Attributes:
        folder: the project's folder: scripts and attachments are looked up here.
        outbox: where mails and Slack messages are written; None delivers them.
        clock: gives the start of a run; None takes the time that Prefect recorded.
        mutexes: what `mutex` of a step holds on to.
        aside: how what may block is done, such as loading a secret.
        successes: what flows remember from one run to the next.
        publish: where documents go, in place of the outbox.
    """

    folder: Path
    registry: Registry
    secrets: SecretStore
    outbox: Path | None = None
    clock: Callable[[], datetime] | None = None
    observer: Observer = field(default_factory=Nobody)
    selection: Selection = field(default_factory=Selection)
    mutexes: Mutexes = field(default_factory=InProcess)
    aside: Aside = in_thread
    successes: SuccessTimes = field(default_factory=InMemory)
    publish: Callable[[Document], str] = publish_nowhere
