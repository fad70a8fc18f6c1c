"""The document of a file with tests, `<flow>.test.yaml`, as typed, frozen models.

What is compared with texts of a run (`argv`, `env`, a mail) is kept as it was written and judged in `comparing`.
"""

from datetime import datetime
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, ConfigDict, Discriminator, Field, GetJsonSchemaHandler, Tag, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from flowmill.spec.document import Document
from flowmill.spec.values import ConstantLine, Names
from flowmill_tasks.fields import ExactJson, Flag, Text, WholeNumber

StepState = Literal["success", "failed", "timed_out", "skipped", "not_selected"]


def _moment(value: Any) -> Any:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        expected = "expected a date, or a date and a time such as `2026-04-03T07:59:00`"
        raise PydanticCustomError("bad_value", "{expected}", {"expected": expected}) from None


def _one_is_a_list(value: Any) -> Any:
    return [value] if isinstance(value, dict) else value


def _text_is_a_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _state_is_enough(value: Any) -> Any:
    return {"state": value} if isinstance(value, str) else value


class _OneOrMore:
    """In the schema: one map may stand for a list of one."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler(core)
        return {"anyOf": [schema["items"], schema]}


class _OrState:
    """In the schema: the state alone is enough."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"enum": list(get_args(StepState))}, handler(core)]}


Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "pattern": r"^\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?$"}),
]
"""A date, or a date and a time; in the flow's zone unless it has an offset."""
Texts = Annotated[list[Text], BeforeValidator(_text_is_a_list)]


class Pattern(Document):
    """What a text must hold, in place of the whole of it."""

    contains: Texts | None = Field(default=None, description="texts that must all be in it", examples=["exit code 3"])
    not_contains: Texts | None = Field(
        default=None, description="texts none of which may be in it", examples=[["Traceback", "password"]]
    )


class _TextOrMap:
    """In the schema: either of the two."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler(core)
        return {"anyOf": schema.pop("oneOf"), **schema}


def _kind(value: Any) -> str:
    return "pattern" if isinstance(value, dict | Pattern) else "text"


# Told apart beforehand, so that a wrong key of a pattern is not also called "no text".
Wanted = Annotated[
    Annotated[Text, Tag("text")] | Annotated[Pattern, Tag("pattern")], Discriminator(_kind), _TextOrMap()
]
"""A text that must be the same, or what must be in it."""


class Result(Document):
    """How an attempt of a step ends that is not started."""

    stdout: Text = Field(default="", description="what the program writes", examples=["12 rows\n"])
    exit_code: WholeNumber | None = Field(
        default=None, description="of the program; 0 is success, anything else a failure", examples=[3]
    )
    result: Text | None = Field(default=None, description="what the program writes to `FLOWMILL_RESULT`")
    timeout: Flag = Field(default=False, description="the step's `timeout` passes")
    error: Text = Field(
        default="",
        description="the attempt fails with this message; for steps that run no program",
        examples=["the server refused the mail"],
    )
    permanent: Flag = Field(default=False, description="after the failure no other attempt is made")
    outputs: dict[str, ExactJson] = Field(default_factory=dict, description="further outputs of the step's type")


class StepWanted(Document):
    """What a step must have done; only the keys that are given are compared."""

    model_config = ConfigDict(extra="allow")

    state: StepState | None = Field(default=None, description="how it ended", examples=["skipped"])
    attempts: WholeNumber | None = Field(default=None, description="how often it was tried")
    elements: WholeNumber | None = Field(default=None, description="how many elements of `foreach` or `matrix` it had")
    message: Wanted | None = Field(default=None, description="of its state")
    stdout: Wanted | None = Field(default=None, description="what its program wrote, as later steps see it")
    exit_code: WholeNumber | None = Field(default=None, description="of its program")
    env: dict[str, Any] | None = Field(
        default=None,
        description="the variables that the spec gives it, all of them, with `env_from` resolved",
        examples=[{"MODE": "full"}],
    )


class MailWanted(Document):
    """A mail that must have been sent; only the keys that are given are compared."""

    sender: Wanted | None = Field(default=None, alias="from", description="who it is from")
    to: Texts | None = Field(default=None, description="who gets it", examples=["ops@example.org"])
    cc: Texts | None = Field(default=None, description="who gets a copy")
    bcc: Texts | None = Field(default=None, description="who gets a copy without the others seeing it")
    reply_to: Texts | None = Field(default=None, description="who gets the answers")
    subject: Wanted | None = Field(default=None, description="its subject")
    text: Wanted | None = Field(default=None, description="its body as plain text")
    html: Wanted | None = Field(default=None, description="its body as HTML")
    attachments: Texts | None = Field(default=None, description="the names of the files in it")


class SlackWanted(Document):
    """A message to Slack that must have been posted; only the keys that are given are compared."""

    text: Wanted | None = Field(default=None, description="the message as Slack gets it, `&`, `<` and `>` escaped")
    channel: Wanted | None = Field(default=None, description="where a bot posts it")
    blocks: Any = Field(default=None, description="its blocks")


Results = Annotated[list[Result], BeforeValidator(_one_is_a_list), Field(min_length=1), _OneOrMore()]
StepExpectation = Annotated[StepWanted, BeforeValidator(_state_is_enough), _OrState()]


class Expect(Document):
    """What must have happened; what is not named may be anything."""

    state: Literal["success", "failed", "timed_out", "skipped"] | None = Field(
        default=None, description="how the run ended"
    )
    message: Wanted | None = Field(default=None, description="of the run's state")
    order: list[Text] | None = Field(
        default=None,
        description="everything that was started, handlers included, one entry for each attempt",
        examples=[["extract", "load", "load"]],
    )
    steps: dict[str, StepExpectation] = Field(
        default_factory=dict,
        description="steps by their ids, elements as `id[element]`; a state alone is enough",
        examples=[{"load": {"attempts": 2, "argv": ["load", "--day", "2026-04-02"]}, "publish": "skipped"}],
    )
    mails: list[MailWanted] | None = Field(default=None, description="all mails, in order", examples=[[]])
    slack: list[SlackWanted] | None = Field(default=None, description="all messages to Slack, in order", examples=[[]])
    last_success: Moment | None = Field(
        default=None, description="the time of the last success that is stored afterwards; null for none"
    )


class FlowTest(Document):
    """One test: a run under these circumstances must do this."""

    name: Annotated[ConstantLine, Field(min_length=1)] = Field(
        description="what it shows; no other test of the file has it", examples=["the day after a failure"]
    )
    environment: ConstantLine | None = Field(
        default=None, description="one of the flow's; the first that it names when left out"
    )
    start: Moment = Field(
        default=datetime(2026, 1, 1),
        description="`run.start`, in the flow's zone unless it has an offset",
        examples=["2026-04-03T07:59:00"],
    )
    scheduled: Moment | None = Field(default=None, description="`run.scheduled`; `start` when left out")
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="parameters of the run", examples=[{"provider": "heron"}]
    )
    secrets: dict[str, ExactJson] = Field(
        default_factory=dict,
        description="the only secrets that there are: a text, or a map of keys",
        examples=[{"database": {"user": "etl", "password": "let-me-in"}}],
    )
    last_success: Moment | None = Field(
        default=None, description="the start of the last run that succeeded; when left out there was none"
    )
    results: dict[str, Results] = Field(
        default_factory=dict,
        description="how steps end, by id or `id[element]`; a list has one entry for each attempt, and its last "
        "repeats; a step that is not named succeeds and writes nothing",
        examples=[{"load": [{"exit_code": 3}, {"stdout": "12 rows"}]}],
    )
    real: Names = Field(
        default_factory=list, description="`script` steps that are run in earnest; others are not started"
    )
    only: ConstantLine | None = Field(default=None, description="run this step alone")
    from_: ConstantLine | None = Field(
        default=None, alias="from", description="run this step and everything that needs it"
    )
    expect: Expect = Field(description="what must have happened")


class FlowTests(Document):
    """A file with tests of the flow beside it."""

    tests: list[FlowTest] = Field(min_length=1, description="the tests, each a run of its own")
