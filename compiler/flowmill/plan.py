"""Everything that is decided about a flow before it runs, as inert data: it can be printed, hashed, compared.

Texts that contain `${{` are expressions for the run; a literal `${{` is kept as `$${{`. Nothing of the run
(its time, its secrets, its outputs) is in here.
"""

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class StepPlan:
    """One step: what to do, after what, how often to try, for how long. Times are in seconds."""

    id: str
    name: str
    type: str
    needs: tuple[str, ...]
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
    type: Literal["string", "integer", "number", "boolean"]
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
class Plan:
    """One flow in one environment."""

    project: str
    flow: str
    environment: str
    server: str
    description: str
    owner: str
    tags: tuple[str, ...]
    cron: str | None
    timezone: str
    paused: bool
    concurrency: ConcurrencyPlan | None
    parameters: tuple[ParameterPlan, ...]
    constants: dict[str, Any]
    steps: tuple[StepPlan, ...]
    on_failure: tuple[StepPlan, ...]
    on_success: tuple[StepPlan, ...]
    finally_: tuple[StepPlan, ...]
    spec_path: str = field(compare=False)

    @property
    def name(self) -> str:
        """The flow's name in Prefect: `<project>.<flow>`."""
        return f"{self.project}.{self.flow}"

    def to_json(self) -> str:
        """The plan as canonical JSON: the same bytes for the same plan on every machine."""
        content = asdict(self)
        content["finally"] = content.pop("finally_")
        return json.dumps(content, sort_keys=True, ensure_ascii=False, indent=2) + "\n"
