"""An e-mail as bytes: headers, body and attachments (RFC 5322, RFC 2045 to 2047).

The body and its attachments are built by the standard library under its modern SMTP policy. The headers are
not: in Python 3.11.7 that policy decodes `=?...?=` inside a value, line breaks included (CVE-2024-6923), and
when it folds a long address list it encodes commas (CVE-2025-1795) and puts an empty line, the end of all
headers, between two addresses. `email.header` takes text for text.
"""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flowmill_tasks._email_addresses import Mailbox
from flowmill_tasks._paths import PathProblem, resolve_file_inside
from flowmill_tasks.base import StepFailed

MESSAGE_AT_MOST = 25 * 1024 * 1024
"""Bytes of a whole message; what the large providers take."""
BODY_AT_MOST = 1024 * 1024
"""Characters of a text or HTML body; the rest is cut, with a note."""

_CRLF = "\r\n"
_WORD_AT_MOST = 70
"""Longer words of a header cannot be folded and are encoded instead."""
_LABEL_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")


@dataclass(frozen=True)
class Attachment:
    """A file inside a message."""

    name: str
    data: bytes


@dataclass(frozen=True)
class Message:
    """Everything that a recipient sees; who receives it blindly is not part of it."""

    message_id: str
    sender: Mailbox
    to: tuple[Mailbox, ...]
    subject: str
    text: str | None
    html: str | None
    cc: tuple[Mailbox, ...] = ()
    reply_to: tuple[Mailbox, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    """Written as `X-Flowmill-...`: which project, flow and run the message comes from."""


def as_bytes(message: Message, extra: Mapping[str, str] | None = None) -> bytes:
    """The message as it goes over the wire: ASCII, line ends CRLF, lines of at most 998 characters.

    Args:
        extra: more headers, for the copy in the outbox.

    Raises:
        StepFailed: it is larger than `MESSAGE_AT_MOST`.
    """
    headers = [
        _address_header("From", (message.sender,)),
        _address_header("To", message.to) if message.to or message.cc else "To: undisclosed-recipients:;",
        _address_header("Cc", message.cc),
        _address_header("Reply-To", message.reply_to),
        _text_header("Subject", message.subject),
        f"Date: {_now()}",
        f"Message-ID: {message.message_id}",
        "Auto-Submitted: auto-generated",  # RFC 3834: no vacation notice answers a machine
        *(_text_header(f"X-Flowmill-{name.title()}", value) for name, value in _usable(message.labels)),
        *(_text_header(name, value) for name, value in (extra or {}).items()),
    ]
    data = "".join(f"{header}{_CRLF}" for header in headers if header).encode("ascii") + _body(message)
    _check_size(len(data))
    return data


def read_attachments(paths: Iterable[str], directory: Path, root: Path) -> tuple[Attachment, ...]:
    """The files that a step attaches.

    Raises:
        StepFailed: one is missing, lies outside of `root`, or all together are too large; nothing was read
            into memory in that case.
    """
    try:
        files = [resolve_file_inside(path, directory, root) for path in paths]
        # Base64 has four bytes for three.
        _check_size(sum(file.stat().st_size for file in files) * 4 // 3)
        return tuple(Attachment(file.name, _read(file)) for file in files)
    except PathProblem as problem:
        raise StepFailed(f"attachment {problem}", permanent=True) from problem
    except OSError as error:
        raise StepFailed(f"attachment `{error.filename}` cannot be read: {error.strerror}") from error


def _read(file: Path) -> bytes:
    # Neither followed nor waited for: a link or a pipe may have taken the file's place since it was checked.
    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as stream:
        return stream.read(MESSAGE_AT_MOST)


def _check_size(size: int) -> None:
    if size > MESSAGE_AT_MOST:
        raise StepFailed(
            f"the mail would have {size / 1024**2:.1f} MiB with its attachments; "
            f"at most {MESSAGE_AT_MOST // 1024**2} MiB can be sent",
            permanent=True,
        )


def shortened(text: str, limit: int = BODY_AT_MOST) -> str:
    """The text, or its beginning with a note."""
    return text if len(text) <= limit else f"{text[:limit]}\n\n{_note(len(text), limit)}\n"


def shortened_html(html: str, limit: int = BODY_AT_MOST) -> str:
    """The HTML, or its beginning, up to the last whole tag, with a note."""
    if len(html) <= limit:
        return html
    beginning = html[:limit]
    if beginning.rfind("<") > beginning.rfind(">"):
        beginning = beginning[: beginning.rfind("<")]
    return f"{beginning}\n<p>{_note(len(html), limit)}</p>\n"


def _note(length: int, limit: int) -> str:
    return f"[cut: the first {limit:,} of {length:,} characters]"


def _address_header(name: str, mailboxes: tuple[Mailbox, ...]) -> str:
    return f"{name}: " + f",{_CRLF} ".join(map(_written, mailboxes)) if mailboxes else ""


def _written(mailbox: Mailbox) -> str:
    from email.header import Header
    from email.utils import formataddr

    if _is_plain(mailbox.name):
        return formataddr((mailbox.name, mailbox.address))
    return f"{Header(mailbox.name, 'utf-8').encode(linesep=_CRLF)}{_CRLF} <{mailbox.address}>"


def _text_header(name: str, text: str) -> str:
    from email.header import Header

    charset = None if _is_plain(text) else "utf-8"
    return f"{name}: " + Header(text, charset, header_name=name).encode(linesep=_CRLF)


def _is_plain(text: str) -> bool:
    """Whether a header can hold the text as it is, and whoever reads it gets just this text back."""
    words = text.split(" ") if text else []
    return text.isascii() and "=?" not in text and all(0 < len(word) <= _WORD_AT_MOST for word in words)


def _now() -> str:
    from datetime import UTC, datetime
    from email.utils import format_datetime

    return format_datetime(datetime.now(UTC))


def _usable(labels: Mapping[str, str]) -> list[tuple[str, str]]:
    named = {name: " ".join(value.split()) for name, value in labels.items() if _LABEL_NAME.fullmatch(name)}
    return [(name, value) for name, value in named.items() if value]


def _body(message: Message) -> bytes:
    """The MIME part: text, HTML or both as alternatives, then the attachments."""
    from email.message import EmailMessage
    from email.policy import SMTP

    # Only ASCII leaves, so no server needs 8BITMIME (RFC 6152) and none can change a byte on the way.
    part = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    if message.text is not None:
        part.set_content(message.text)
    if message.html is not None and message.text is not None:
        part.add_alternative(message.html, subtype="html")
    elif message.html is not None:
        part.set_content(message.html, subtype="html")
    for attachment in message.attachments:
        kind, subtype = _media_type(attachment.name)
        name = attachment.name.replace("=?", "=_")  # or the policy decodes it
        part.add_attachment(attachment.data, kind, subtype, filename=name)
    return part.as_bytes()


def _media_type(name: str) -> tuple[str, str]:
    import mimetypes

    guess, compression = mimetypes.guess_type(name)
    if not guess or compression or guess.startswith(("message/", "multipart/")):
        return "application", "octet-stream"  # RFC 2046 allows no base64 inside message/ and multipart/
    kind, _, subtype = guess.partition("/")
    return kind, subtype
