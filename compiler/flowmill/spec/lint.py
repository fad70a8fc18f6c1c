"""The `lint` of `flowmill.yaml`: rules that are off or changed, and policies, which are rules of the team's own."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from flowmill.spec.document import Document
from flowmill.spec.values import Name, Names, as_list
from flowmill_tasks.fields import Flag, Json, Text

Keys = Annotated[list[Text], BeforeValidator(as_list)]
Level = Literal["info", "warning", "error"]


class RuleOptions(Document):
    """What can be said of every rule; one with options of its own has them in a model derived from this."""

    severity: Literal["off", "info", "warning", "error"] | None = Field(
        default=None, description="`off`, or how bad a finding is; an `error` fails the validation", examples=["off"]
    )


class Policy(Document):
    """Something that the team wants of its flows, or of some of them."""

    description: Text = Field(
        description="what is wanted and why, for whoever reads the diagnostic",
        examples=["somebody answers for what runs in production"],
    )
    severity: Level = Field(default="error", description="how bad it is")
    environments: Names | None = Field(default=None, description="only flows in these environments")
    projects: Names | None = Field(default=None, description="only flows of these projects")
    servers: Names | None = Field(default=None, description="only flows on these servers")
    scheduled: Flag | None = Field(default=None, description="only flows with a schedule (true), or without (false)")
    step_types: Names | None = Field(default=None, description="in steps: only those of these types")
    require: Keys = Field(
        default_factory=list, description="keys that a flow must have", examples=[["owner", "on_failure"]]
    )
    forbid: Keys = Field(default_factory=list, description="keys that a flow must not have", examples=[["queue"]])
    values: dict[str, Keys] = Field(
        default_factory=dict,
        description="keys of a flow, and the values they may have; `*` stands for any characters",
        examples=[{"owner": ["*@example.org"]}],
    )
    require_in_steps: Keys = Field(
        default_factory=list, description="keys that each step must have", examples=[["timeout"]]
    )
    forbid_in_steps: Keys = Field(default_factory=list, description="keys that no step may have")
    values_in_steps: dict[str, Keys] = Field(
        default_factory=dict,
        description="keys of steps, and the values they may have",
        examples=[{"image": ["registry.example.org/*"]}],
    )


def _level_alone(value: Any) -> Any:
    """`rule: off` is short for `rule: {severity: off}`."""
    return (
        {code: {"severity": options} if isinstance(options, str) else options for code, options in value.items()}
        if isinstance(value, dict)
        else value
    )


class Lint(Document):
    """Which rules hold in this workspace."""

    rules: Annotated[dict[str, Json], BeforeValidator(_level_alone)] = Field(
        default_factory=dict,
        description="rules by code: `off`, a severity, or a map of the rule's options",
        examples=[{"uneven-step": "off", "similar-flows": {"severity": "info"}}],
    )
    policies: dict[Name, Policy] = Field(
        default_factory=dict,
        description="rules of the team's own, by name",
        examples=[
            {
                "accountable": {
                    "description": "somebody answers for what runs in production",
                    "environments": ["production"],
                    "require": ["owner", "on_failure"],
                    "require_in_steps": ["timeout"],
                }
            }
        ],
    )
