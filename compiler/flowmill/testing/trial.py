"""One test carried out: the run that it describes, and everything about it that can be compared."""

import asyncio
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from flowmill.local.given import typed_parameters
from flowmill.planning.plan import Plan
from flowmill.running.conductor import conduct
from flowmill.running.lateness import reason_to_skip
from flowmill.running.outcome import Outcome
from flowmill.running.run import Run
from flowmill.running.success_times import name_of
from flowmill.testing.outbox import Message, Outbox
from flowmill.testing.recording import Attempt, Recorder
from flowmill.testing.spec import FlowTest
from flowmill.testing.world import GivenSecrets, facts_of, runtime_of, successes_of
from flowmill_tasks.registry import Registry


@dataclass(frozen=True)
class Trial:
    """What a run did.

    Attributes:
        ended: the ends of steps by id, and of elements by label.
        missing_secrets: the names of secrets that the flow asked for and the test does not give.
        last_success: the start of the last success that is kept afterwards.
    """

    state: str
    message: str
    attempts: list[Attempt]
    ended: Mapping[str, Outcome]
    mails: list[Message]
    slack: list[Message]
    missing_secrets: list[str]
    last_success: datetime | None

    def last_attempt(self, label: str) -> Attempt | None:
        """The last attempt of a task; None where it was never started."""
        return next((attempt for attempt in reversed(self.attempts) if attempt.label == label), None)


def carry_out(test: FlowTest, plan: Plan, folder: Path, registry: Registry) -> Trial:
    """Run the test; nothing is written but into a temporary folder, except by steps that are `real`."""
    with tempfile.TemporaryDirectory(prefix="flowmill-test-") as private:
        secrets, outbox, successes = GivenSecrets(test.secrets), Outbox(Path(private)), successes_of(test, plan)
        runtime = runtime_of(test, folder, registry, secrets, outbox.folder, successes)
        run = Run(plan, runtime, facts_of(test, plan), typed_parameters(test.parameters, plan))
        recorder = Recorder(test.results, frozenset(test.real), outbox)
        word, message = _skipped(test, run) or _conducted(run, recorder)
    return Trial(
        state=word,
        message=message,
        attempts=recorder.attempts,
        ended={**recorder.ended, **run.outcomes},
        mails=outbox.mails,
        slack=outbox.slack,
        missing_secrets=list(secrets.missing),
        last_success=successes.read(name_of(plan)),
    )


def _skipped(test: FlowTest, run: Run) -> tuple[str, str] | None:
    """The state and message of a run that a schedule has made and that is too late."""
    facts = run.facts
    reason = reason_to_skip(run.plan, facts.scheduled, facts.start, run.parameters) if test.scheduled else ""
    return ("skipped", reason) if reason else None


def _conducted(run: Run, recorder: Recorder) -> tuple[str, str]:
    outcome = asyncio.run(conduct(run, recorder.run_task))
    return outcome.failure.state.value if outcome.failure else "success", outcome.message


def results_of(outcome: Outcome) -> list[dict[str, Any]] | None:
    """What the elements of a step have yielded; None for a step without elements."""
    found = getattr(outcome.output, "results", None)
    return found if isinstance(found, list) else None
