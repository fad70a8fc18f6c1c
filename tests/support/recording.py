"""A step type `docker` that starts nothing: it keeps what it was told to run and ends as it is told to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flowmill_tasks.base import Output, ProcessOutput, StepFailed, StepRun
from flowmill_tasks.docker import Docker
from flowmill_tasks.registry import Registry, discover


@dataclass(frozen=True)
class Call:
    """One attempt of one step, as the engine would have been told."""

    step: str
    image: str
    command: list[str]
    working_dir: str | None
    environ: Mapping[str, str]


@dataclass
class Containers:
    """The containers that were asked for, in order.

    Attributes:
        failing: for a step's id, how many of its attempts fail, with exit code 3.
        prints: what every container writes; the end of it comes with a failure.
        after: called after each attempt, with the step's id.
    """

    failing: dict[str, int] = field(default_factory=dict)
    prints: str = ""
    after: Callable[[str], None] = lambda step: None
    calls: list[Call] = field(default_factory=list)

    def registry(self) -> Registry:
        """The installed step types, `docker` being one that records."""
        containers = self

        class Recording(Docker):
            def execute(self, run: StepRun) -> Output:
                return containers.run(self, run)

        return {**discover(), "docker": Recording}

    def run(self, step: Docker, run: StepRun) -> Output:
        command = [*(step.command or [])]
        self.calls.append(Call(run.step_id, step.image, command, step.working_dir, dict(run.environ)))
        run.log.info(self.prints)
        self.after(run.step_id)
        if self.failing.get(run.step_id, 0) > 0:
            self.failing[run.step_id] -= 1
            raise StepFailed("the container ended with exit code 3", exit_code=3, tail=self.prints)
        return ProcessOutput(stdout=self.prints, exit_code=0)

    def steps(self) -> list[str]:
        return [call.step for call in self.calls]

    def argument_after(self, option: str) -> list[Any]:
        """What followed an option, once per container."""
        return [call.command[call.command.index(option) + 1] for call in self.calls]
