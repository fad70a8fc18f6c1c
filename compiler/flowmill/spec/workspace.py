"""The documents that flows share, as typed, frozen models: the workspace, and a project."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from flowmill.spec.document import Document
from flowmill.spec.lint import Lint
from flowmill.spec.values import ConstantLine, Name, Names
from flowmill_tasks.fields import Json, Text, WholeNumber


class Environment(Document):
    """A stage that flows are deployed to, and the branch that holds what runs there."""

    ref: ConstantLine = Field(description="the git branch that this environment follows", examples=["main"])
    description: Text = Field(default="", description="what it is for")
    pin: Literal["commit", "branch"] = Field(
        default="commit",
        description="what runs: the `commit` that was registered, or whatever the `branch` holds when a run starts",
    )
    storage: Literal["git", "local"] = Field(
        default="git",
        description="where workers find the specs: in the repository, or, for trying out, in this folder (`local`)",
    )
    defaults: dict[str, Json] | None = Field(default=None, description="keys for every flow in this environment")


def _null_is_empty(value: Any) -> Any:
    """`main:` with nothing behind it is an entry without keys."""
    return {key: {} if item is None else item for key, item in value.items()} if isinstance(value, dict) else value


class _OrNothing:
    """In the schema: the same."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler(core)
        return {**schema, "additionalProperties": {"anyOf": [schema["additionalProperties"], {"type": "null"}]}}


class Queue(Document):
    """A queue of a server for flows that must not crowd out the others."""

    description: Text = Field(default="", description="what it is for")
    concurrency: Annotated[WholeNumber, Field(ge=1)] | None = Field(
        default=None,
        description="how many runs of it at once, over all flows; as many as come when left out",
        examples=[1],
    )


class Server(Document):
    """A machine with a worker; runs reach it through the Prefect work pool of the same name."""

    description: Text = Field(default="", description="what it is")
    pool: Literal["process"] = Field(default="process", description="type of the work pool")
    environments: Names | None = Field(
        default=None, description="environments that it serves; every one when left out", examples=[["staging"]]
    )
    queues: Annotated[dict[str, Queue], BeforeValidator(_null_is_empty), _OrNothing()] = Field(
        default_factory=dict,
        description="further queues of each environment, by name",
        examples=[{"one-at-a-time": {"concurrency": 1}}],
    )


class Secret(Document):
    """A secret that flows may use; its value lies on the Prefect server, or in a local file."""

    description: Text = Field(default="", description="what it opens, and whom to ask for it")


class Workspace(Document):
    """`specs/flowmill.yaml`: what every project shares."""

    name: Name | None = Field(
        default=None,
        description="names the workspace on a Prefect server that several share; the repository's name when left out",
        examples=["team-flows"],
    )
    repository: ConstantLine = Field(
        default="",
        description="address of the git repository that holds the specs",
        examples=["https://github.com/your-team/flows.git"],
    )
    repository_token: Name | None = Field(
        default=None,
        description="the Secret block of Prefect that holds a token for a private repository",
        examples=["git-token"],
    )
    timezone: ConstantLine = Field(
        default="UTC", description="the zone of every `cron` that names none", examples=["America/Chicago"]
    )
    environments: Annotated[dict[str, Environment], Field(min_length=1)] = Field(
        description="the stages, by name", examples=[{"staging": {"ref": "main"}, "production": {"ref": "production"}}]
    )
    servers: Annotated[dict[str, Server], BeforeValidator(_null_is_empty), _OrNothing(), Field(min_length=1)] = Field(
        description="the machines, by label", examples=[{"etl-01": {"description": "loads and publishes"}}]
    )
    secrets: Annotated[dict[str, Secret], BeforeValidator(_null_is_empty), _OrNothing()] | None = Field(
        default=None,
        description="the secrets that flows may use, by name, never with values; every one when left out",
        examples=[{"mail": {"description": "account that mail is sent with"}}],
    )
    lint: Lint = Field(default_factory=Lint, description="rules that are off or changed, and the team's own")
    defaults: dict[str, Json] | None = Field(default=None, description="keys for every flow")


class Project(Document):
    """`specs/<project>/project.yaml`: what the flows of one project share."""

    description: Text = Field(default="", description="what the project is")
    owner: Text = Field(default="", description="who answers for its flows")
    defaults: dict[str, Json] | None = Field(default=None, description="keys for every flow of the project")
    templates: Annotated[dict[Name, dict[str, Json]], BeforeValidator(_null_is_empty)] = Field(
        default_factory=dict,
        description="keys of flows by name, for those that say `extends`; any key of a flow but `project`",
        examples=[{"hourly": {"cron": "15 * * * *", "concurrency": 1}}],
    )
