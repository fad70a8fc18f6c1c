"""One run of a plan: its facts, and the scope in which its expressions are evaluated."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flowmill.plan import Plan
from flowmill.running.outcome import Outcome
from flowmill.running.redaction import Redactor
from flowmill.running.runtime import Runtime
from flowmill.running.secrets import Secrets
from flowmill_tasks.base import RunMemory


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

    def __post_init__(self) -> None:
        self.secrets: dict[str, Any] = Secrets(self.runtime.secrets, self.redactor)

    def scope(self) -> dict[str, Any]:
        """Every name that an expression may use now, with its value."""
        facts = self.facts
        return {
            **self.plan.constants,
            "parameters": dict(self.parameters),
            "run": {"id": facts.id, "start": facts.start, "scheduled": facts.scheduled, "url": facts.url},
            "secrets": self.secrets,
            "steps": {step: _result(outcome) for step, outcome in self.outcomes.items()},
            "failure": _failure(self.failure),
        }


def _result(outcome: Outcome) -> dict[str, Any]:
    output = outcome.output
    fields = {name: getattr(output, name) for name in type(output).model_fields}
    if outcome.exit_code is not None:
        fields["exit_code"] = outcome.exit_code
    common = {"state": outcome.state.value, "attempts": outcome.attempts, "message": outcome.message}
    return {**fields, **common}


def _failure(outcome: Outcome | None) -> dict[str, Any]:
    if outcome is None:
        return {}
    code = "" if outcome.exit_code is None else outcome.exit_code
    return {"step": outcome.step, "message": outcome.message, "exit_code": code, "output": outcome.tail}
