"""The step type `slack`: posts a message through an incoming webhook, or as a bot with a token.

`&`, `<` and `>` are escaped in `text` and in the texts of `blocks`, whoever wrote them, so a mention or a
link works only with `mrkdwn: true`; and then only one that the author wrote, for the values that expressions
put in are escaped still. What is too long or empty is refused where the spec says it literally, and cut or
filled in with a mark where it came out of the run.
"""

import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field, ValidationInfo, WithJsonSchema, field_validator, model_validator
from pydantic_core import PydanticCustomError

from flowmill_tasks import _slack_api, _slack_text
from flowmill_tasks._outbox import write_to_outbox
from flowmill_tasks.base import Output, Step, StepFailed, StepRun
from flowmill_tasks.fields import Duration, Flag, Json, Line, Redacted, SecretText, Templated, Text
from flowmill_tasks.starter import Starter

_ADDRESS = re.compile(r"(https?)://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?(/[!-~]{0,2000})?")
"""Narrow on purpose (no user name, no international host): no two readers can disagree about the host."""

_TOKEN = re.compile(r"[!-~]{1,500}")


def _address_problem(address: str) -> str:
    """Why nothing may be posted to this address, without quoting it; empty when it is fine."""
    parts = _ADDRESS.fullmatch(address)
    if not parts or int(parts[3] or 0) > 65535:
        return "is no https URL such as `https://hooks.slack.com/services/…`"
    if parts[1] == "http" and not _is_loopback(parts[2]):
        return "must use https: over http everybody on the way can read it"
    return ""


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _channel(name: str) -> str:
    if not re.fullmatch(r"#?[^\s#]{1,100}", name):
        raise PydanticCustomError(
            "bad_value", "expected a channel's id such as `C024BE91L`, or its name such as `#alerts`"
        )
    return name


def _api_address(address: str) -> str:
    problem = _address_problem(address)
    if problem:
        raise PydanticCustomError("bad_value", "{problem}", {"problem": problem})
    return address


Channel = Templated[Annotated[Line, AfterValidator(_channel)]]
ApiAddress = Templated[Annotated[Line, AfterValidator(_api_address)]]

Blocks = Annotated[
    Json,
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "array", "items": {"type": "object"}, "minItems": 1, "maxItems": 50},
                {"type": "string", "pattern": r"\$\{\{.*\}\}"},
            ]
        }
    ),
]


class SlackOutput(Output):
    """What a `slack` step gives to later steps."""

    ts: str = ""
    """The message's timestamp, which names it in its channel; empty with a webhook and in the outbox."""
    path: str = ""
    """The file in the outbox; empty when the message was posted."""


STARTER = Starter(
    step="""\
  - id: tell
    type: slack
$needed    text: "hello from ${{ flow.name }}"
""",
    expected="      slack: [{text: hello from $name}]",
    needed={
        "webhook": "    webhook: ${{ secrets.slack.url }}   # the key `url` of the secret `slack`\n",
    },
)


class Slack(Step):
    """Post a message to Slack."""

    step_type: ClassVar[str] = "slack"
    summary: ClassVar[str] = "Post a message to Slack, through an incoming webhook or as a bot"
    starter: ClassVar[Starter | None] = STARTER
    delivery_fields: ClassVar[frozenset[str]] = frozenset({"webhook", "token"})
    message_fields: ClassVar[frozenset[str]] = frozenset({"text", "blocks"})
    output: ClassVar[type[Output]] = SlackOutput

    webhook: SecretText = Field(
        default=None,
        description="Address of an incoming webhook; it decides the channel. Either this or `token`.",
        examples=["${{ secrets.slack.url }}"],
    )
    token: SecretText = Field(
        default=None,
        description="Token of a bot (`xoxb-…`) with the scope `chat:write`. Needs `channel`.",
        examples=["${{ secrets.slack.token }}"],
    )
    channel: Channel = Field(
        default="",
        description="Where the bot posts: a channel's id, or its name (quoted, for `#` begins a comment).",
        examples=["#data-alerts", "C024BE91L"],
    )
    mrkdwn: Flag = Field(
        default=False,
        description="Send the `&`, `<` and `>` that are written here as they are, so that mentions and "
        "`<url|text>` links work; what an expression puts in is escaped all the same.",
        examples=[True],
    )
    text: Templated[Text] = Field(
        default="",
        description="The message, with `*bold*`, `_italic_` and `` `code` ``; with `blocks`, what a "
        "notification shows. At most 40,000 characters.",
        examples=["${{ flow.name }} has loaded ${{ steps.load.stdout }} rows"],
    )
    blocks: Blocks = Field(
        default=None,
        description="Block Kit blocks, at most 50, or an expression that gives a list or its JSON.",
        examples=[[{"type": "section", "text": {"type": "mrkdwn", "text": "*Trips* are in"}}]],
    )
    request_timeout: Templated[Annotated[Duration, Field(ge=1, le=3600)]] = Field(
        default=30,
        description="How long one attempt of the step may take, with all its requests and pauses.",
        examples=["30s"],
    )
    api_url: ApiAddress = Field(
        default="https://slack.com/api/",
        description="The Web API that takes the `token`; GovSlack has one of its own.",
        examples=["https://slack-gov.com/api/"],
    )

    @field_validator("text", mode="before")
    @classmethod
    def _refuse_literal_text(cls, text: Any, info: ValidationInfo) -> Any:
        return _slack_text.refuse_unfit(text, _slack_text.TEXT_LIMIT, bool(info.data.get("mrkdwn")))

    @field_validator("blocks", mode="before")
    @classmethod
    def _read_blocks(cls, blocks: Any) -> Any:
        return _slack_text.read_blocks(blocks)

    @field_validator("blocks", mode="after")
    @classmethod
    def _check_blocks(cls, blocks: Any, info: ValidationInfo) -> Any:
        return _slack_text.check_blocks(blocks, bool(info.data.get("mrkdwn")))

    @model_validator(mode="after")
    def _check_combination(self) -> "Slack":
        given = self.model_fields_set
        if ("webhook" in given) == ("token" in given):
            raise PydanticCustomError("bad_value", "expected exactly one of `webhook` and `token`")
        if "token" in given and "channel" not in given:
            raise PydanticCustomError("bad_value", "`token` needs a `channel` to post to")
        if "webhook" in given and "channel" in given:
            raise PydanticCustomError("bad_value", "`channel` goes with `token`: a webhook has its channel")
        if not given & {"text", "blocks"}:
            raise PydanticCustomError("bad_value", "expected `text`, `blocks` or both")
        return self

    @classmethod
    def escaper(cls, key: str, keys: Mapping[str, Any]) -> Callable[[str], str] | None:
        is_mrkdwn = str(keys.get("mrkdwn", "")).lower() == "true"
        # Without it the whole text is escaped when it is sent, whoever wrote it.
        return _slack_text.escaped if is_mrkdwn and key in ("text", "blocks") else None

    def execute(self, run: StepRun) -> SlackOutput:
        body = self._body()
        if run.outbox is not None:
            path = write_to_outbox(run.outbox, run.step_id, ".json", body)
            run.log.info(f"wrote {path} to the outbox; nothing was posted")
            return SlackOutput(path=str(path))
        ts = _slack_api.post(self._target(), body, self.request_timeout, run)
        run.log.info("posted to Slack")
        return SlackOutput(ts=ts)

    def preview(self, run: StepRun) -> list[str]:
        destination = "webhook" if self.webhook is not None else "channel"
        lines = [f"slack: to the outbox {run.outbox}" if run.outbox else f"slack: post to the {destination} ***"]
        lines += [f"  {line}" for line in self.text.splitlines()]
        if self.blocks is not None:
            count = len(self.blocks) if isinstance(self.blocks, list) else "computed"
            lines.append(f"  blocks: {count}")
        return lines

    def _body(self) -> bytes:
        """The message as Slack's API takes it; indented, because in the outbox it is read by people."""
        message: dict[str, Any] = {}
        if self.channel:
            message["channel"] = self.channel
        # Beside blocks, an empty text is only a missing fallback, which Slack makes up from the blocks.
        if self.text.strip() or self.blocks is None:
            message["text"] = _slack_text.fit(self.text, _slack_text.TEXT_LIMIT, self.mrkdwn)
        if self.blocks is not None:
            message["blocks"] = _slack_text.fit_blocks(self.blocks, self.mrkdwn)
        # "replace": half a surrogate pair, which broken output of a script may hold, has no UTF-8 form.
        return json.dumps(message, ensure_ascii=False, indent=2).encode("utf-8", "replace")

    def _target(self) -> _slack_api.Target:
        if self.webhook is not None:
            return _webhook_target(self.webhook)
        return _api_target(self.api_url, self.token)


def _webhook_target(webhook: Redacted) -> _slack_api.Target:
    address = webhook.reveal().strip()
    problem = _address_problem(address)
    if problem:
        raise StepFailed(f"the value of `webhook` {problem}", permanent=True)
    return _slack_api.Target("the Slack webhook", Redacted(address))


def _api_target(api_url: str, token: Redacted) -> _slack_api.Target:
    value = token.reveal().strip()
    # Checked here because the HTTP library quotes a header that it refuses in its error.
    if not _TOKEN.fullmatch(value):
        raise StepFailed("the value of `token` is no token: expected `xoxb-…` on one line", permanent=True)
    address = Redacted(f"{api_url.rstrip('/')}/chat.postMessage")
    return _slack_api.Target("Slack's API", address, Redacted(value))
