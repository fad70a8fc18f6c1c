"""A flow as a typed, frozen model; what flows share is in `workspace`.

The keys of a step type are not here: they are the fields of its own model in `flowmill_tasks`. Descriptions
and examples become the JSON Schema and the documentation.
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from flowmill.spec.document import Document
from flowmill.spec.values import (
    Condition,
    ConstantJson,
    ConstantLine,
    Elements,
    Environ,
    FlowName,
    Name,
    Names,
    SecretNames,
    WrittenName,
    as_list,
)
from flowmill_tasks.fields import (
    Duration,
    ExactJson,
    Flag,
    Json,
    Line,
    Number,
    Templated,
    Text,
    WholeNumber,
)

HANDLERS = ("on_retry", "on_failure", "on_success", "finally")
"""The keys that hold lists of steps which are not part of the flow's graph."""
GROUPS = ("steps", *HANDLERS)
"""The keys that hold lists of steps."""
OF_ELEMENTS = ("max_parallel", "fail_fast")
"""Keys of a step that mean something only beside `foreach` or `matrix`."""
ONLY_IN_STEPS = ("needs", "continue_on_error", "foreach", "matrix", *OF_ELEMENTS)
"""Keys that a step of a handler cannot have: those run in order, each once, and change nothing."""


def keys_out_of_place(group: str) -> tuple[str, ...]:
    """The keys of every step that one under this key of a flow cannot have."""
    return () if group == "steps" else ONLY_IN_STEPS


class Concurrency(Document):
    """How many runs of the flow may go on at once, and what happens to one too many."""

    limit: Annotated[WholeNumber, Field(ge=1)] = Field(description="runs at once", examples=[1])
    on_conflict: Literal["queue", "cancel_new"] = Field(
        default="queue", description="`queue` lets the new run wait, `cancel_new` drops it"
    )


def _concurrency(value: Any) -> Any:
    return {"limit": value} if isinstance(value, str | int) and not isinstance(value, bool) else value


class _OrNumber:
    """In the schema: the limit alone is enough."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"type": "integer", "minimum": 1}, handler(core)]}


class Parameter(Document):
    """A value that can be set per run; it becomes a field of the form in Prefect's UI."""

    type: Literal["string", "integer", "number", "boolean", "list"] = Field(
        description="what values are allowed; `list` is one of texts"
    )
    default: ConstantJson = Field(
        default=None, description="the value when none is given; without it the parameter is required", examples=[24]
    )
    description: Text = Field(default="", description="what it is for")
    minimum: Number | None = Field(default=None, description="smallest allowed number", examples=[1])
    maximum: Number | None = Field(default=None, description="largest allowed number", examples=[168])
    choices: ConstantJson = Field(default=None, description="the list of allowed values", examples=[["lime", "bird"]])


class StepKeys(Document):
    """The keys that every step has, whatever its type."""

    id: Name = Field(description="names the step in `needs` and in expressions", examples=["extract"])
    name: Templated[Line] = Field(
        default="",
        description="what people see; the id when left out",
        examples=["load ${{ parameters.provider }}"],
    )
    type: ConstantLine = Field(description="the step type", examples=["script"])
    needs: Names | None = Field(
        default=None,
        description="steps that must have succeeded first; when left out, the step before; `[]` starts at once",
        examples=["extract", ["extract", "ask"]],
    )
    if_: Condition | None = Field(
        default=None,
        alias="if",
        description="an expression: the step is skipped where it is false; when left out, `success()`",
        examples=["failure()", "parameters.full and success()"],
    )
    foreach: Elements | None = Field(
        default=None,
        description="a list, or an expression that gives one: the step runs once for each `item`",
        examples=[["lime", "bird"], "${{ steps.ask.stdout | lines }}"],
    )
    matrix: Annotated[dict[Name, Elements], Field(min_length=1)] | None = Field(
        default=None,
        description="lists by name: the step runs once for each combination, `matrix.<name>`",
        examples=[{"year": [2025, 2026], "table": ["trips", "stops"]}],
    )
    max_parallel: Annotated[WholeNumber, Field(ge=1, le=100)] = Field(
        default=1, description="how many elements of `foreach` or `matrix` go on at once"
    )
    fail_fast: Flag = Field(
        default=True, description="after an element of `foreach` or `matrix` has failed, start no other"
    )
    mutex: Name | None = Field(
        default=None,
        description="no two steps with the same word here run at once, in whichever flows they are",
        examples=["small-database"],
    )
    env: Environ = Field(default_factory=dict, description="environment variables", examples=[{"MODE": "full"}])
    env_from: SecretNames = Field(
        default_factory=list,
        description="secrets whose every key becomes an environment variable, loaded when the step starts",
        examples=[["warehouse"], "warehouse_${{ environment }}"],
    )
    retries: Annotated[WholeNumber, Field(ge=0, le=100)] = Field(
        default=0, description="further attempts after a failure"
    )
    retry_delay: Duration = Field(default=0, description="wait before another attempt", examples=["5m"])
    retry_backoff: Annotated[Number, Field(ge=1, le=10)] = Field(
        default=1.0, description="each wait is this many times the one before"
    )
    timeout: Annotated[Duration, Field(ge=1)] | None = Field(
        default=None,
        description="an attempt that takes longer is ended and counts as failed",
        examples=["20m"],
    )
    continue_on_error: Flag = Field(default=False, description="a failure neither stops later steps nor fails the run")


STEP_KEYS = frozenset(field.alias or name for name, field in StepKeys.model_fields.items())
"""The keys that every step has, as a spec spells them."""


class Schedule(Document):
    """One of several times at which a flow runs."""

    id: Name | None = Field(default=None, description="names the schedule in Prefect", examples=["weekdays"])
    cron: ConstantLine = Field(description="five fields", examples=["15 6 * * MON-FRI"])
    timezone: ConstantLine | None = Field(
        default=None, description="the zone of `cron`; the flow's when left out", examples=["Europe/Berlin"]
    )
    parameters: dict[str, ConstantJson] = Field(
        default_factory=dict, description="values of parameters for runs of this schedule", examples=[{"full": True}]
    )
    paused: Flag = Field(default=False, description="keep the schedule but switched off")


class LastSuccess(Document):
    """The start of the last run in which every step succeeded."""

    about_other_keys: ClassVar[str] = (
        "there is only `default`: the time is kept once per flow and environment, so that no two flows can share it"
    )

    default: Templated[Text] = Field(
        description="what `last_success.start` is as long as there was none: a date or time, or an expression",
        examples=["1970-01-01", "${{ run.start - days(7) }}"],
    )


class FlowSpec(Document):
    """A flow in one environment, every default and override applied."""

    project: Name = Field(description="the folder it lies in", examples=["mobility"])
    extends: WrittenName | None = Field(
        default=None, description="a template of the project, whose keys lie under the flow's own", examples=["hourly"]
    )
    description: Text = Field(default="", description="what it does, for people")
    owner: Text = Field(default="", description="who answers for it; the project's owner when left out")
    tags: Annotated[list[ConstantLine], BeforeValidator(as_list)] = Field(
        default_factory=list, description="extra tags in Prefect", examples=[["nightly"]]
    )
    environment: Json = Field(
        description="a name, a list of names, or a map from each name to keys that differ there",
        examples=[["staging", "production"]],
    )
    server: Name = Field(description="where it runs: a server of flowmill.yaml", examples=["etl-01"])
    cron: ConstantLine | None = Field(
        default=None,
        description="when it runs: five fields; left out or null means by hand only",
        examples=["15 * * * *"],
    )
    timezone: ConstantLine = Field(default="UTC", description="the zone of `cron`", examples=["America/Chicago"])
    schedules: list[Schedule] = Field(
        default_factory=list,
        description="several times, in place of `cron`",
        examples=[[{"cron": "15 6 * * *", "parameters": {"full": True}}]],
    )
    paused: Flag = Field(default=False, description="keep the schedules but switched off")
    catchup: Literal["none", "last", "all"] = Field(
        default="last",
        description="which missed runs are made up for: `none`, only the `last` one, or `all`",
    )
    skip_if_late: Annotated[Duration, Field(ge=1)] | None = Field(
        default=None, description="a scheduled run that could not start within this time is skipped", examples=["10m"]
    )
    queue: Name | None = Field(
        default=None,
        description="a queue of the server, declared in flowmill.yaml; the environment's own when left out",
        examples=["one-at-a-time"],
    )
    last_success: LastSuccess | None = Field(
        default=None,
        description="keep the start of the last run in which every step succeeded, as `last_success.start`",
        examples=[{"default": "1970-01-01"}],
    )
    run_name: Templated[Line] = Field(
        default="",
        description="the name of a run in Prefect; a random one when left out",
        examples=["trips of ${{ run.start | date }}"],
    )
    concurrency: Annotated[Concurrency, BeforeValidator(_concurrency), _OrNumber()] | None = Field(
        default=None, description="how many runs at once: a number, or a map", examples=[1]
    )
    protect: Flag = Field(
        default=False, description="once registered, it is not deleted from the server when its spec is gone"
    )
    moved_from: FlowName | None = Field(
        default=None,
        description="the flow's former `<project>.<flow>`: what it remembers and what is switched off move with it",
        examples=["mobility.bike_trips"],
    )
    parameters: dict[str, Parameter] = Field(
        default_factory=dict,
        description="values that can be set per run",
        examples=[{"hours_back": {"type": "integer", "default": 24, "minimum": 1}}],
    )
    vars: dict[str, ExactJson] = Field(
        default_factory=dict,
        description="named values for expressions, known before the run",
        examples=[{"bucket": "trips-${{ environment }}"}],
    )
    env: Environ = Field(
        default_factory=dict,
        description="environment variables of every step that takes them",
        examples=[{"MODE": "full"}],
    )
    env_from: SecretNames = Field(
        default_factory=list,
        description="secrets for the environment of every step that takes one",
        examples=[["warehouse"]],
    )
    defaults: Json = Field(
        default=None,
        description="keys for every step (`all`) or for every step of a type",
        examples=[{"all": {"retries": 2}, "docker": {"timeout": "1h"}}],
    )
    steps: list[Any] = Field(
        min_length=1,
        description="what it does, in order",
        examples=[[{"id": "load", "type": "script", "command": "python load.py"}]],
    )
    on_retry: list[Any] = Field(
        default_factory=list,
        description="steps that run each time a step is about to be tried again",
        examples=[[{"type": "slack", "text": "${{ retry.step }} failed, and is tried again"}]],
    )
    on_failure: list[Any] = Field(
        default_factory=list,
        description="steps that run once when the run has failed",
        examples=[[{"type": "slack", "text": "${{ flow.name }} failed at ${{ failure.step }}"}]],
    )
    on_success: list[Any] = Field(
        default_factory=list,
        description="steps that run once when the run has succeeded",
        examples=[[{"type": "slack", "text": "${{ flow.name }} is done"}]],
    )
    finally_: list[Any] = Field(
        default_factory=list,
        alias="finally",
        description="steps that run once, last, whether the run succeeded or failed",
        examples=[[{"type": "script", "command": "rm -f lock"}]],
    )
