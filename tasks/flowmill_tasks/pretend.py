"""An attempt that starts nothing and ends as it is told to: what tests of flows have in place of programs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flowmill_tasks._transcript import Transcript
from flowmill_tasks.base import Output, Step, StepFailed, StepRun, StepTimedOut
from flowmill_tasks.duration import in_words


@dataclass(frozen=True)
class End:
    """How an attempt is to end.

    Attributes:
        stdout: what the program is to have written; kept within the same bounds as that of a real one.
        exit_code: of the program; None for a step that runs none.
        error: the message of a failure that is none of a program.
        permanent: whether no other attempt is made after it.
        timed_out: whether the step's `timeout` is to have passed.
        outputs: further outputs of the step's type.
    """

    stdout: str = ""
    exit_code: int | None = None
    error: str = ""
    permanent: bool = False
    timed_out: bool = False
    outputs: Mapping[str, Any] = field(default_factory=dict)


def pretend(step: Step, run: StepRun, end: End, timeout: float | None) -> Output:
    """The output of a step that ended like this.

    Raises:
        StepFailed: it is to have failed; the message is that of a real failure.
    """
    transcript = Transcript(run.log)
    transcript.stdout.feed(end.stdout.encode())
    transcript.close()
    message = end.error or (step.exit_message(end.exit_code) if end.exit_code else "")
    if end.timed_out:
        raise StepTimedOut(f"timed out after {in_words(timeout or 0)}", tail=transcript.tail())
    if message:
        raise StepFailed(message, exit_code=end.exit_code, tail=transcript.tail(), permanent=end.permanent)
    program = {"stdout": transcript.stdout.kept(), "exit_code": 0}
    known = step.output.model_fields
    return step.output(**{name: value for name, value in {**program, **end.outputs}.items() if name in known})
