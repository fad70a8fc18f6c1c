"""How a step ended, and how a run did."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from flowmill.counted import counted
from flowmill_tasks.base import Output, StepFailed, StepTimedOut


class State(StrEnum):
    """The ends that a step can come to; the words are those of `steps.<id>.state`."""

    SUCCESS = "success"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    SKIPPED = "skipped"
    NOT_SELECTED = "not_selected"


@dataclass(frozen=True)
class Outcome:
    """The end of one step, after all its attempts.

    Attributes:
        because: for a skipped step, the id of the step that caused it.
        tail: the last lines of output of a failed step, secrets masked.
    """

    step: str
    state: State
    message: str = ""
    output: Output = field(default_factory=Output)
    exit_code: int | None = None
    tail: str = ""
    attempts: int = 0
    because: str = ""
    permanent: bool = False
    """Another attempt would not have helped."""

    @property
    def failed(self) -> bool:
        return self.state in (State.FAILED, State.TIMED_OUT)

    def fields(self) -> dict[str, Any]:
        """What expressions may use of it: `steps.<id>.<name>`."""
        found = {name: getattr(self.output, name) for name in type(self.output).model_fields}
        if self.exit_code is not None:
            found["exit_code"] = self.exit_code
        return {**found, "state": self.state.value, "attempts": self.attempts, "message": self.message}


def of_failure(step: str, failure: StepFailed, attempts: int, output: Output) -> Outcome:
    """The end of a step whose last attempt has failed; `output` is what its type yields when there is nothing."""
    state = State.TIMED_OUT if isinstance(failure, StepTimedOut) else State.FAILED
    return Outcome(
        step,
        state,
        failure.message,
        output,
        exit_code=failure.exit_code,
        tail=failure.tail,
        attempts=attempts,
        permanent=failure.permanent,
    )


@dataclass(frozen=True)
class Retry:
    """A task that has failed and will be tried again.

    Attributes:
        attempt: the one that has failed, counted from 1.
        attempts: how many there may be.
        delay: seconds until the next.
    """

    step: str
    message: str
    attempt: int
    attempts: int
    delay: float

    def fields(self) -> dict[str, Any]:
        """What the steps of `on_retry` may use: `retry.<name>`."""
        whole = int(self.delay) if self.delay == int(self.delay) else self.delay
        return {**asdict(self), "delay": whole}


def skipped_because(outcomes: Mapping[str, Outcome]) -> list[str]:
    """The steps that did not run because of another one; those that their own `if` left out are not among them."""
    return [step for step, outcome in outcomes.items() if outcome.state is State.SKIPPED and outcome.because]


@dataclass(frozen=True)
class RunOutcome:
    """The end of a run.

    Attributes:
        steps: the outcome of every step.
        failure: the first that counts, of a step or of what a run needs around them; None when it succeeded.
        is_kept: its start has been kept as that of the last success.
    """

    steps: Mapping[str, Outcome]
    failure: Outcome | None
    is_kept: bool = False

    @property
    def message(self) -> str:
        """One sentence for the run's state."""
        if self.failure:
            skipped = skipped_because(self.steps)
            tail = f"; skipped: {', '.join(skipped)}" if skipped else ""
            is_of_a_step = self.steps.get(self.failure.step) == self.failure
            subject = f"step `{self.failure.step}` failed: " if is_of_a_step else ""
            return f"{subject}{self.failure.message}{tail}"
        done = sum(outcome.state is State.SUCCESS for outcome in self.steps.values())
        allowed = [step for step, outcome in self.steps.items() if outcome.failed]
        tail = f"; allowed to fail: {', '.join(allowed)}" if allowed else ""
        return f"{counted(done, 'step')} succeeded{tail}"
