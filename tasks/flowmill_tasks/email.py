"""The step type `email`: sends one mail through an SMTP server.

Every recipient is one address that was listed, a header is one line, and a mail whose fate is not known is
not sent a second time unless the step asks for it. A retry carries the Message-ID of the first attempt.
"""

import hashlib
import html
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from flowmill_tasks._email_addresses import Mailbox, Mailboxes, OneMailbox, parse_mailbox, split_around_expressions
from flowmill_tasks._email_delivery import Envelope, deliver, in_one_line
from flowmill_tasks._email_message import Message, as_bytes, read_attachments, shortened, shortened_html
from flowmill_tasks._email_settings import SmtpSettings
from flowmill_tasks._outbox import write_to_outbox
from flowmill_tasks._paths import PathProblem, RelativePath, resolve_file_inside, resolve_inside
from flowmill_tasks.base import Output, Step, StepFailed, StepRun
from flowmill_tasks.fields import Flag, Line, Templated, Text, Unrendered
from flowmill_tasks.starter import Starter

_NOBODY = Mailbox("unknown@flowmill.invalid", "sender of the smtp settings")
"""Who a mail in the outbox is from, when only the settings that were not evaluated know."""
_PREVIEW_LINES = 5


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Attachments = Annotated[
    Templated[Annotated[list[RelativePath], BeforeValidator(_as_list)]],
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]


class EmailOutput(Output):
    """What an `email` step gives to later steps."""

    message_id: str = ""
    """The Message-ID of the mail, the same for every attempt to send it."""
    refused: list[str] = Field(default_factory=list)
    """Recipients that the server did not take; only with `allow_refused` does the step get this far."""
    path: str = ""
    """The file in the outbox; empty when the mail was sent."""


STARTER = Starter(
    step="""\
  - id: mail
    type: email
$needed    to: you@example.org
    subject: "Hello from ${{ flow.name }}"
    text: |
      This run started on ${{ run.start | date('%-d %B %Y at %H:%M') }}.
""",
    expected="      mails: [{to: you@example.org, subject: Hello from $name}]",
    needed={
        "from": "    from: flows@example.org\n",
        "smtp": "    smtp: ${{ secrets.mail }}       # a secret with the keys host, port, username and password\n",
    },
)


class Email(Step):
    """Send a mail."""

    step_type: ClassVar[str] = "email"
    summary: ClassVar[str] = "Send a mail, with text, HTML and attachments, through an SMTP server"
    starter: ClassVar[Starter | None] = STARTER
    split_fields: ClassVar[Mapping[str, Callable[[Any], Any]]] = dict.fromkeys(
        ("to", "cc", "bcc", "reply_to"), split_around_expressions
    )
    delivery_fields: ClassVar[frozenset[str]] = frozenset({"smtp"})
    message_fields: ClassVar[frozenset[str]] = frozenset({"subject", "text", "html"})
    output: ClassVar[type[Output]] = EmailOutput

    to: Mailboxes = Field(
        default_factory=list,
        description="Who gets the mail: a list with one address per item, or a text with commas between.",
        examples=[["ops@example.org", "Jane Doe <jane@example.org>"], "${{ secrets.report.recipients }}"],
    )
    cc: Mailboxes = Field(
        default_factory=list, description="Who gets a copy, for all to see.", examples=["boss@example.org"]
    )
    bcc: Mailboxes = Field(
        default_factory=list,
        description="Who gets a copy without the others seeing it.",
        examples=["archive@example.org"],
    )
    sender: OneMailbox | None = Field(
        default=None,
        alias="from",
        description="Who the mail is from; the `sender` of the smtp settings when left out.",
        examples=["Data team <data@example.org>"],
    )
    reply_to: Mailboxes = Field(
        default_factory=list, description="Who gets the answers.", examples=["helpdesk@example.org"]
    )
    subject: Line = Field(
        description="The subject, one line.", examples=["Trips of ${{ run.start | date('%Y-%m-%d') }}"]
    )
    text: Text | None = Field(
        default=None,
        description="The body as plain text. Needs this or `html`; with both, mail programs choose.",
        examples=["${{ steps.load.stdout }}"],
    )
    html: Text | None = Field(
        default=None,
        description="The body as HTML; what an expression puts into it is escaped.",
        examples=["<p>Loaded <b>${{ steps.load.stdout }}</b> rows</p>"],
    )
    attachments: Attachments = Field(
        default_factory=list,
        description="Files of the project to attach, as paths relative to the spec; 25 MiB in all.",
        examples=[["out/report.csv"]],
    )
    smtp: Templated[SmtpSettings] = Field(
        description="The mail server: a map, or a secret that holds one.", examples=["${{ secrets.mail }}"]
    )
    allow_refused: Templated[Flag] = Field(
        default=False,
        description="Succeed, with a warning, when the server refuses some of the recipients but not all.",
        examples=[True],
    )
    resend_if_unsure: Templated[Flag] = Field(
        default=False,
        description="Let a retry send the mail again when the connection broke after all of it was handed "
        "over: rather twice than not at all.",
        examples=[True],
    )

    @model_validator(mode="after")
    def _check_combination(self) -> Self:
        if not (self.to or self.cc or self.bcc):
            raise PydanticCustomError("bad_value", "expected at least one recipient in `to`, `cc` or `bcc`")
        if self.text is None and self.html is None:
            raise PydanticCustomError("bad_value", "expected `text`, `html` or both")
        if self.sender is None and isinstance(self.smtp, SmtpSettings) and self.smtp.sender is None:
            raise PydanticCustomError("bad_value", "expected `from`, or a `sender` in the smtp settings")
        return self

    @classmethod
    def escaper(cls, key: str, keys: Mapping[str, Any]) -> Callable[[str], str] | None:
        return _as_html if key == "html" else None

    def execute(self, run: StepRun) -> EmailOutput:
        recipients = self._recipients()
        message = self._message(run)
        if run.outbox is not None:
            return _keep(message, recipients, run.outbox, run)
        return self._deliver(message, recipients, run)

    def preview(self, run: StepRun) -> list[str]:
        named = {"To": self.to, "Cc": self.cc, "Bcc": self.bcc, "Reply-To": self.reply_to}
        attached = {"Attached": self.attachments}
        return [
            "email",
            f"  From: {self._shown_sender()}",
            *(f"  {name}: {_listed(values)}" for name, values in named.items() if values),
            f"  Subject: {self.subject}",
            *(f"  {name}: {_listed(values)}" for name, values in attached.items() if values),
            *(f"  | {line}" for line in _first_lines(self.html if self.text is None else self.text)),
            f"  {self._way(run)}",
        ]

    def problems(self, directory: Path, root: Path) -> list[tuple[tuple[str | int, ...], str]]:
        """Attachments need not be there before the run: an earlier step may make them."""
        return list(self._problems(directory, root))

    def _problems(self, directory: Path, root: Path) -> Iterator[tuple[tuple[str | int, ...], str]]:
        attachments = [] if isinstance(self.attachments, Unrendered) else self.attachments
        ca_file = self.smtp.ca_file if isinstance(self.smtp, SmtpSettings) else None
        yield from (
            (("attachments", index), problem)
            for index, path in enumerate(attachments)
            if (problem := _path_problem(resolve_inside, path, directory, root))
        )
        if ca_file and (problem := _path_problem(resolve_file_inside, ca_file, directory, root)):
            yield ("smtp", "ca_file"), problem

    def _recipients(self) -> tuple[str, ...]:
        """The addresses of everybody who gets the mail, each once."""
        mailboxes = (*_parsed(self.to), *_parsed(self.cc), *_parsed(self.bcc))
        return tuple(dict.fromkeys(mailbox.address for mailbox in mailboxes))

    def _message(self, run: StepRun) -> Message:
        sender = self._sender()
        # The same for every attempt, so that a mail program shows a mail that was sent twice once.
        digest = hashlib.sha256(run.key.encode()).hexdigest()[:32]
        return Message(
            message_id=f"<{digest}@{sender.domain}>",
            sender=sender,
            to=_parsed(self.to),
            cc=_parsed(self.cc),
            reply_to=_parsed(self.reply_to),
            subject=self.subject,
            text=None if self.text is None else shortened(self.text),
            html=None if self.html is None else shortened_html(self.html),
            attachments=read_attachments(self.attachments, run.directory, run.root),
            labels={**run.labels, "step": run.step_id},
        )

    def _sender(self) -> Mailbox:
        settings = self.smtp.sender if isinstance(self.smtp, SmtpSettings) else None
        text = self.sender or settings
        return _NOBODY if text is None or isinstance(text, Unrendered) else parse_mailbox(text)

    def _deliver(self, message: Message, recipients: tuple[str, ...], run: StepRun) -> EmailOutput:
        envelope = Envelope(message.sender.address, recipients, as_bytes(message), self.resend_if_unsure)
        server = self.smtp.server(run.directory, run.root)
        refused = deliver(envelope, server, run.cancellation)
        taken = f"{server} took the mail for {len(recipients) - len(refused)} of {len(recipients)} recipients"
        if refused and not self.allow_refused:
            # Permanent: a retry would send it a second time to those who have it.
            raise StepFailed(f"{taken} and refused {in_one_line(refused)}", permanent=True)
        if refused:
            run.log.warning(f"{taken} and refused {in_one_line(refused)}")
        else:
            run.log.info(taken)
        return EmailOutput(message_id=message.message_id, refused=list(refused))

    def _way(self, run: StepRun) -> str:
        if run.outbox is not None:
            return f"to the outbox {run.outbox}"
        if not isinstance(self.smtp, SmtpSettings):
            return f"through {self.smtp}"
        login = "" if self.smtp.username is None else f", login {self.smtp.username} with password ***"
        return f"through {self.smtp.address} ({self.smtp.encryption}){login}"

    def _shown_sender(self) -> str:
        settings = self.smtp.sender if isinstance(self.smtp, SmtpSettings) else None
        return self.sender or settings or "the sender of the smtp settings"


def _keep(message: Message, recipients: tuple[str, ...], outbox: Path, run: StepRun) -> EmailOutput:
    # Nobody is sent this copy, so it may tell who would have got the mail blindly.
    data = as_bytes(message, {"X-Flowmill-Recipients": ", ".join(recipients)})
    path = write_to_outbox(outbox, run.step_id, ".eml", data)
    run.log.info(f"wrote {path} to the outbox; no mail was sent")
    return EmailOutput(message_id=message.message_id, path=str(path))


def _as_html(value: str) -> str:
    """The text for HTML; what is HTML already (the filter `html_lines` makes some) says so, as templates agree on."""
    return str(value) if hasattr(value, "__html__") else html.escape(value)


def _parsed(values: list[str]) -> tuple[Mailbox, ...]:
    return tuple(map(parse_mailbox, values))


def _path_problem(resolve: Callable[[str, Path, Path], Path], path: str, directory: Path, root: Path) -> str:
    try:
        if not isinstance(path, Unrendered):
            resolve(path, directory, root)
    except PathProblem as problem:
        return str(problem)
    return ""


def _listed(values: list[str]) -> str:
    return values if isinstance(values, Unrendered) else ", ".join(values)


def _first_lines(body: str | None) -> list[str]:
    lines = (body or "").splitlines()
    return [*lines[:_PREVIEW_LINES], *(["..."] if len(lines) > _PREVIEW_LINES else [])]
