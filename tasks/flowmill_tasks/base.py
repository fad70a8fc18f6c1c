"""The contract of a step type: its keys, what it needs from a run, what it gives back, how it fails.

A step type is one file in this folder (or one class behind the entry point `flowmill.steps`): a subclass of
`Step` whose fields are its keys in a spec and whose `execute` does the work. It knows nothing of Prefect, of
YAML or of the compiler, so it can be tested alone; see `perform` for running one.
"""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict, Field

from flowmill_tasks.cancellation import Cancellation
from flowmill_tasks.starter import Starter

GRACE = 3.0
"""Seconds between asking a step's process or container to end (TERM) and ending it (KILL)."""


class StepFailed(Exception):
    """The step did not do its work; the message is what a person reads in Prefect, in a mail or in Slack."""

    def __init__(self, message: str, *, exit_code: int | None = None, tail: str = "", permanent: bool = False) -> None:
        """
        Args:
            message: one sentence, lower case, that says what failed and what to look at.
            exit_code: of the process or container, where there was one.
            tail: the last lines of output.
            permanent: true where trying again cannot help (a refused recipient, a bad file), so that no
                retry is made.
        """
        super().__init__(message)
        self.message = message
        self.exit_code = exit_code
        self.tail = tail
        self.permanent = permanent


class StepTimedOut(StepFailed):
    """The step was ended because its `timeout` had passed."""


class StepCancelled(StepFailed):
    """The step was ended because the run was."""


class Log(Protocol):
    """Where a step's lines go; secrets are masked on the way."""

    def info(self, message: str) -> None: ...
    def warning(self, message: str) -> None: ...
    def error(self, message: str) -> None: ...


class Output(BaseModel):
    """What a step gives to later steps as `steps.<id>.<field>`; a step type may add fields by subclassing."""

    # What stands below a field describes it, as elsewhere; editors show that.
    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class ProcessOutput(Output):
    """What a step gives that runs a program."""

    stdout: str = Field(default="", description="what the program wrote, at most the last 256 KiB")
    exit_code: int | None = Field(default=None, description="how the program ended; 0 is success")
    result: str = Field(default="", description="what the program wrote into the file that FLOWMILL_RESULT names")


class RunMemory:
    """What the steps of one run share: work that is done once, by whoever needs it first."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._locks: dict[str, Lock] = {}
        self._results: dict[str, Any] = {}

    def once(self, key: str, work: Callable[[], Any]) -> Any:
        """The result of `work` for `key`; others wait while it runs. A failure is not kept, so a retry works."""
        with self._lock:
            lock = self._locks.setdefault(key, Lock())
        with lock:
            if key not in self._results:
                self._results[key] = work()
            return self._results[key]


@dataclass(frozen=True)
class Document:
    """What a step of type `artifact` publishes."""

    key: str
    title: str
    markdown: str


def publish_nowhere(document: Document) -> str:
    """What publishes where there is nobody to publish to."""
    raise StepFailed("this run has nowhere to publish a document", permanent=True)


@dataclass(frozen=True)
class StepRun:
    """One attempt of one step: everything that `execute` may use from outside its own keys."""

    step_id: str
    key: str
    """Names this step of this run and stays the same over its retries: for Message-IDs and container names."""
    log: Log
    cancellation: Cancellation
    directory: Path
    """The folder of the spec file; paths in a spec are relative to it."""
    root: Path
    """The project's folder; no path of a spec may lead out of it."""
    environ: Mapping[str, str] = field(default_factory=dict)
    """`env` and `env_from` of the step, resolved."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """What the run is: project, flow, environment, run. For container labels and mail headers."""
    attempt: int = 1
    outbox: Path | None = None
    """Where messages go instead of to people; None means that they are delivered."""
    memory: RunMemory = field(default_factory=RunMemory)
    publish: Callable[[Document], str] = publish_nowhere
    """Where documents go, called from the step's thread; gives the id of what was made."""


class Step(BaseModel):
    """A step type. Subclass it, give it keys as fields, and say in `execute` what it does.

    `execute` runs in a thread of its own and may block. It ends early when `run.cancellation` is set: whatever
    it waits for must be broken off with `run.cancellation.on_cancel`. The caller enforces the timeout.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True, defer_build=True)

    step_type: ClassVar[str]
    """The word that stands behind `type:` in a spec."""
    summary: ClassVar[str]
    """One line for the schema and the documentation."""
    refused_keys: ClassVar[Mapping[str, str]] = {}
    """Options that a person may look for and that are left out on purpose, with the reason: `it …`."""
    takes_environment: ClassVar[bool] = False
    """Whether `env` and `env_from` mean something to it."""
    delivery_fields: ClassVar[frozenset[str]] = frozenset()
    """Keys that are only needed to deliver (credentials): left unevaluated when messages go to the outbox.

    A type that has some is carried out by `flowmill test`, into an outbox; others are only pretended there.
    """
    split_fields: ClassVar[Mapping[str, Callable[[Any], Any]]] = {}
    """Keys whose text stands for a list, and what takes it apart: done before any value is put in, so that a
    value can never become a second item."""
    argument_fields: ClassVar[frozenset[str]] = frozenset()
    """Keys that become arguments of a program, which everybody on the machine can see: no secret may stand there."""
    message_fields: ClassVar[frozenset[str]] = frozenset()
    """Keys that people will read: secret values in them are masked."""
    output: ClassVar[type[Output]] = Output
    starter: ClassVar[Starter | None] = None
    """What `flowmill new flow --type` writes; None leaves the type out there."""

    @classmethod
    def escaper(cls, key: str, keys: Mapping[str, Any]) -> Callable[[str], str] | None:
        """What is applied to every text that an expression puts into `key`, where that holds HTML or the like.

        Args:
            keys: the step's keys as they are written, since it may depend on one of them.
        """
        return None

    @classmethod
    def clear_up(cls, log: Log) -> None:
        """Remove what killed processes of this machine have left behind outside of themselves.

        Called before runs begin, and by a worker every half minute; what a living process has made stays.
        """
        return

    @abstractmethod
    def execute(self, run: StepRun) -> Output:
        """Do the work.

        Raises:
            StepFailed: the work was not done; every expected failure is one of these, with a readable message.
        """

    def preview(self, run: StepRun) -> list[str]:
        """What `execute` would do, as lines for a dry run; starts nothing and reads no network."""
        return [f"{self.step_type}"]

    def recorded(self, run: StepRun) -> dict[str, Any]:
        """What this attempt would do, as plain data: what a test of a flow compares."""
        return self.model_dump(by_alias=True, warnings=False)

    def exit_message(self, code: int) -> str:
        """What the failure is called of a program that has ended with this exit code."""
        return f"ended with exit code {code}"

    def problems(self, directory: Path, root: Path) -> list[tuple[tuple[str | int, ...], str]]:
        """What is wrong on disk (a script that is not there) as routes into the step's keys, and messages."""
        return []
