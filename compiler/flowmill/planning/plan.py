"""Everything that is decided about a flow before it runs, as inert data: it can be printed, hashed, compared.

Texts that contain `${{` are expressions for the run; a literal `${{` is kept as `$${{`. Nothing of the run
(its time, its secrets, its outputs) is in here.
"""

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class ElementsPlan:
    """What a step runs over: a list, or the product of several.

    Attributes:
        foreach: the list, or an expression that gives it; None where `matrix` has lists.
        max_parallel: how many elements go on at once.
        fail_fast: whether no other element starts after one has failed.
    """

    foreach: Any
    matrix: dict[str, Any] | None
    max_parallel: int
    fail_fast: bool


@dataclass(frozen=True)
class StepPlan:
    """One step: when, what to do, how often to try, for how long. Times are in seconds.

    Attributes:
        name: what people see, with expressions; empty where it is the id.
        condition: the source of its `if`; None is `success()`.
        elements: what it runs over; None for once.
    """

    id: str
    name: str
    type: str
    needs: tuple[str, ...]
    condition: str | None
    elements: ElementsPlan | None
    mutex: str | None
    config: dict[str, Any]
    env: dict[str, str]
    env_from: tuple[str, ...]
    retries: int
    retry_delays: tuple[float, ...]
    timeout: int | None
    continue_on_error: bool


@dataclass(frozen=True)
class ParameterPlan:
    """One parameter of a run."""

    name: str
    type: Literal["string", "integer", "number", "boolean", "list"]
    default: Any = None
    description: str = ""
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[Any, ...] | None = None


@dataclass(frozen=True)
class ConcurrencyPlan:
    """How many runs at once, and whether one too many waits or is dropped."""

    limit: int
    on_conflict: Literal["queue", "cancel_new"]


@dataclass(frozen=True)
class SchedulePlan:
    """One of the times at which a flow runs; `cron` is spelt out as lists, which every scheduler reads alike."""

    id: str
    cron: str
    timezone: str
    parameters: dict[str, Any]
    paused: bool


@dataclass(frozen=True)
class CatchupPlan:
    """What becomes of scheduled runs that start late.

    Attributes:
        missed: which of those are run whose successor is due already.
        skip_if_late: seconds after which a run is skipped; None for any time.
    """

    missed: Literal["none", "last", "all"]
    skip_if_late: int | None


@dataclass(frozen=True)
class Plan:
    """One flow in one environment.

    Attributes:
        timezone: the zone of the run's times, and of every schedule that names none.
        queue: the queue of the server that runs wait in; None is the environment's own.
        last_success: what `last_success.start` is before the first success; None where the flow keeps no such time.
        run_name: the name of a run, with expressions; empty lets Prefect find one.
        protect: whether it stays on the server when its spec is gone.
        moved_from: the flow's former name; empty where it never had another.
    """

    project: str
    flow: str
    environment: str
    server: str
    description: str
    owner: str
    tags: tuple[str, ...]
    queue: str | None
    timezone: str
    schedules: tuple[SchedulePlan, ...]
    catchup: CatchupPlan
    concurrency: ConcurrencyPlan | None
    last_success: str | None
    run_name: str
    parameters: tuple[ParameterPlan, ...]
    constants: dict[str, Any]
    steps: tuple[StepPlan, ...]
    on_retry: tuple[StepPlan, ...]
    on_failure: tuple[StepPlan, ...]
    on_success: tuple[StepPlan, ...]
    finally_: tuple[StepPlan, ...]
    spec_path: str = field(compare=False)
    protect: bool = False
    moved_from: str = ""

    @property
    def name(self) -> str:
        """The flow's name in Prefect: `<project>.<flow>`."""
        return f"{self.project}.{self.flow}"

    @property
    def groups(self) -> dict[str, tuple[StepPlan, ...]]:
        """Its steps and those of its handlers, by the key that they stand under."""
        handlers = {"on_retry": self.on_retry, "on_failure": self.on_failure, "on_success": self.on_success}
        return {"steps": self.steps, **handlers, "finally": self.finally_}

    def to_json(self) -> str:
        """The plan as canonical JSON: the same bytes for the same plan on every machine."""
        content = asdict(self)
        content["finally"] = content.pop("finally_")
        return json.dumps(content, sort_keys=True, ensure_ascii=False, indent=2) + "\n"
