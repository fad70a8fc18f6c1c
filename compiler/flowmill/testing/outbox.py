"""The messages of a run, read back from its outbox in the order in which they were written."""

import json
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

Message = dict[str, Any]


class Outbox:
    """A folder that takes the messages of one run, and what has been found in it so far.

    Attributes:
        mails: what each mail holds, by the keys that a test compares.
        slack: the messages to Slack, as its API would get them.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mails: list[Message] = []
        self.slack: list[Message] = []
        self._seen: set[Path] = set()

    def collect(self) -> None:
        """Read what is new."""
        for path in sorted({*self.folder.glob("*.*")} - self._seen):
            self._seen.add(path)
            if path.suffix == ".eml":
                self.mails.append(dict(_mail(path.read_bytes())))
            elif path.suffix == ".json":
                self.slack.append(json.loads(path.read_text(encoding="utf-8")))


def _mail(data: bytes) -> Iterator[tuple[str, Any]]:
    mail = message_from_bytes(data, _class=EmailMessage, policy=policy.default)
    named = {name: _addresses(mail, name) for name in ("to", "cc", "reply-to")}
    known = {_address(text) for text in (*named["to"], *named["cc"])}
    everybody = [part.strip() for part in str(mail["X-Flowmill-Recipients"] or "").split(",")]
    yield "from", str(mail["from"])
    yield from ((name.replace("-", "_"), texts) for name, texts in named.items())
    yield "bcc", [address for address in everybody if address and address not in known]
    yield "subject", str(mail["subject"])
    yield from _bodies(mail)
    yield "attachments", [part.get_filename("") for part in mail.iter_attachments()]


def _addresses(mail: EmailMessage, name: str) -> list[str]:
    """Each address as it would be written in a spec: with its name, where it has one."""
    header = mail[name]
    return [str(address) for address in getattr(header, "addresses", ())]


def _address(text: str) -> str:
    return text.rpartition("<")[2].rstrip(">")


def _bodies(mail: EmailMessage) -> Iterator[tuple[str, Any]]:
    for name, kind in (("text", "plain"), ("html", "html")):
        part = mail.get_body((kind,))
        if part is not None:
            yield name, str(part.get_content()).replace("\r\n", "\n").rstrip("\n")
