"""What the steps of the last local run have yielded, so that a run from the middle on can use it.

It is kept as later steps got it, every secret masked, in `.flowmill/runs`.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from flowmill.local.folder import folder_of, prepared, replace_file
from flowmill.planning.plan import Plan, StepPlan
from flowmill.running.elements import Elements
from flowmill.running.outcome import Outcome, RunOutcome, State
from flowmill.running.success_times import name_of
from flowmill_tasks.registry import Registry

CHARACTERS_AT_MOST = 8 * 1024 * 1024
"""In the file of a flow and environment; steps that do not fit in are not kept."""


class _Kept(BaseModel):
    """How one step ended, and when the run began in which it did."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    run: datetime
    attempts: int
    exit_code: int | None
    output: dict[str, Any]


class _File(BaseModel):
    steps: dict[str, _Kept]


@dataclass(frozen=True)
class Results:
    """The results of the last local runs of a plan.

    Attributes:
        plan: whose steps they are.
        path: where they are kept.
        started: when the run begins that uses them, and whose own will be kept.
    """

    plan: Plan
    path: Path
    started: datetime

    @classmethod
    def of(cls, plan: Plan, spec: Path, started: datetime) -> "Results":
        return cls(plan, folder_of(spec) / "runs" / f"{name_of(plan)}.json", started)

    def left_out(self, chosen: frozenset[str], registry: Registry) -> dict[str, Outcome]:
        """The outcomes of steps that are not `chosen` and have kept results, as far as these still fit the steps."""
        kept = self._read() if len(chosen) < len(self.plan.steps) else {}
        found = {
            step.id: _outcome(step, kept[step.id], registry)
            for step in self.plan.steps
            if step.id in kept and step.id not in chosen
        }
        return {step: outcome for step, outcome in found.items() if outcome is not None}

    def keep(self, outcome: RunOutcome) -> None:
        """Keep the results of a run; those of steps that it left out stay.

        Raises:
            OSError: they cannot be written.
        ValueError: a step type has yielded what JSON cannot hold.
        """
        before = self._read()
        steps: dict[str, Any] = {}
        left = CHARACTERS_AT_MOST
        for step, ended in outcome.steps.items():
            kept = before.get(step) if ended.state is State.NOT_SELECTED else self._kept(ended)
            document = kept.model_dump(mode="json") if kept else {}
            size = len(json.dumps(document))
            if document and size <= left:
                steps[step], left = document, left - size
        prepared(self.path.parent)
        replace_file(self.path, json.dumps({"steps": steps}, indent=1) + "\n")

    def _kept(self, outcome: Outcome) -> _Kept | None:
        if outcome.state is State.SKIPPED:
            return None
        output = outcome.output.model_dump(mode="json", warnings=False)
        return _Kept(run=self.started, attempts=outcome.attempts, exit_code=outcome.exit_code, output=output)

    def _read(self) -> dict[str, _Kept]:
        """What is kept; nothing where that is damaged, since any complete run writes it anew."""
        try:
            return _File.model_validate_json(self.path.read_bytes()).steps
        except (OSError, ValidationError):
            return {}


def _outcome(step: StepPlan, kept: _Kept, registry: Registry) -> Outcome | None:
    yielded = Elements if step.elements else registry[step.type].output
    try:
        output = yielded.model_validate(kept.output)
    except ValidationError:
        return None  # the step is of another type now
    message = f"not selected for this run; its results are those of the run of {kept.run:%Y-%m-%d %H:%M:%S}"
    return Outcome(step.id, State.NOT_SELECTED, message, output, kept.exit_code, attempts=kept.attempts)
