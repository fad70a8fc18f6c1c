"""One run of a plan: its facts, and the scope in which its expressions are evaluated."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flowmill.planning.plan import Plan
from flowmill.running.outcome import Outcome, Retry, skipped_because
from flowmill.running.redaction import Redactor
from flowmill.running.runtime import Runtime
from flowmill.running.secrets import Secrets
from flowmill_tasks.base import RunMemory

if TYPE_CHECKING:
    from flowmill.running.task import StepTask


@dataclass(frozen=True)
class Facts:
    """What is one value for all steps and all retries of a run."""

    id: str
    start: datetime
    scheduled: datetime
    url: str = ""


@dataclass
class Run:
    """A run that is going on; `outcomes` grows as steps end."""

    plan: Plan
    runtime: Runtime
    facts: Facts
    parameters: Mapping[str, Any]
    redactor: Redactor = field(default_factory=Redactor)
    memory: RunMemory = field(default_factory=RunMemory)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    failure: Outcome | None = None
    last_success: datetime | None = None
    """`last_success.start`, from when the run starts; None where the plan keeps no such time."""
    retrying: "Callable[[StepTask, Retry], Awaitable[None]] | None" = None
    """What whoever carries a task out calls before it is tried again."""

    def __post_init__(self) -> None:
        self.secrets: dict[str, Any] = Secrets(self.runtime.secrets, self.redactor)

    def scope(self, names: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Every name that an expression may use now, with its value; `names` are those of one task."""
        facts = self.facts
        return {
            **self.plan.constants,
            "parameters": dict(self.parameters),
            "run": {"id": facts.id, "start": facts.start, "scheduled": facts.scheduled, "url": facts.url},
            "secrets": self.secrets,
            "steps": self._steps(),
            "failure": self._failure(),
            **({"last_success": {"start": self.last_success}} if self.last_success else {}),
            **(names or {}),
        }

    def _steps(self) -> dict[str, Any]:
        """What steps have yielded, and the keys that their authors wrote and expressions ask for."""
        written: Mapping[str, Any] = self.plan.constants.get("steps", {})
        ended = {step: outcome.fields() for step, outcome in self.outcomes.items()}
        return {step: {**written.get(step, {}), **ended.get(step, {})} for step in {**written, **ended}}

    def _failure(self) -> dict[str, Any]:
        outcome = self.failure
        if outcome is None:
            return {}
        return {
            "step": outcome.step,
            "message": outcome.message,
            "exit_code": "" if outcome.exit_code is None else outcome.exit_code,
            "output": outcome.tail,
            "skipped": skipped_because(self.outcomes),
        }
