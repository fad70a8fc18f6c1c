"""Handing one message to an SMTP server, within one deadline for all of it (RFC 5321, 3207, 4954, 1870).

`smtplib` speaks the protocol. What it lacks is here: its timeouts bound one read each and not the whole, its
replies may be endless, and it does not tell a message that was surely not taken from one that may have been.
"""

import re
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from flowmill_tasks._email_connection import BoundedLines, Lifeline, connect
from flowmill_tasks.base import StepFailed
from flowmill_tasks.cancellation import Cancellation
from flowmill_tasks.duration import in_words
from flowmill_tasks.fields import Redacted

if TYPE_CHECKING:
    import ssl

_REPLIES_AT_MOST = 256 * 1024
"""Bytes that a server may say in one conversation."""
_REPLY_SHOWN = 200
"""Characters of a server's reply in a message to the user."""
_FAREWELL = 2.0
"""Seconds to wait for the answer to QUIT, when the message is dealt with already."""

Reply = tuple[int, bytes]
Security = Literal["starttls", "tls", "none"]


@dataclass(frozen=True)
class Server:
    """Where a message is handed in, and how."""

    host: str
    port: int
    security: Security
    username: str | None
    password: Redacted | None
    timeout: float
    """Seconds for the whole delivery, from looking up the host to the server's last word."""
    ca_file: Path | None
    """Certificates to trust instead of the system's."""

    def __str__(self) -> str:
        return f"`{self.host}:{self.port}`"


@dataclass(frozen=True)
class Envelope:
    """What the server acts on; the message's own headers mean nothing to it."""

    sender: str
    recipients: tuple[str, ...]
    message: bytes
    resend_if_unsure: bool = False
    """Whether a message that may have been delivered counts as not delivered, so that a retry sends it."""


def deliver(envelope: Envelope, server: Server, cancellation: Cancellation) -> dict[str, str]:
    """Hand the message over; the recipients that the server refused, with its replies.

    Raises:
        StepFailed: nobody gets the message, or it is not known whether they do: the text says which. The
            second is permanent unless `resend_if_unsure`.
    """
    context = _tls_context(server)
    lifeline = Lifeline(server.timeout)
    cancellation.on_cancel(lifeline.cut)
    conversation = _Conversation(server, lifeline, context)
    try:
        conversation.open()
        return conversation.send(envelope)
    except OSError as error:  # smtplib's own exceptions are such, too
        raise conversation.failure(error, envelope.resend_if_unsure) from error
    finally:
        conversation.close()
        lifeline.release()


class _Conversation:
    """One connection to a server, from the greeting to QUIT."""

    def __init__(self, server: Server, lifeline: Lifeline, context: "ssl.SSLContext") -> None:
        import smtplib

        self._server = server
        self._lifeline = lifeline
        self._context = context
        self._client = smtplib.SMTP(local_hostname="")  # not connected; replaced once there is a connection
        self._doing = "connecting"
        self._is_unsure = False
        """The server has the whole message, and has not said whether it takes it."""

    def open(self) -> None:
        """Connect, encrypt and log in, so that a message can be sent."""
        connection = connect(self._server.host, self._server.port, self._lifeline)
        if self._server.security == "tls":
            connection = self._encrypted(connection)
        self._talk_over(connection)
        self._doing = "waiting for the greeting"
        self._expect(self._client.getreply(), "the connection")
        self._introduce()
        if self._server.security == "starttls":
            self._start_tls(connection)
        if self._server.username is not None and self._server.password is not None:
            self._log_in(self._server.username, self._server.password)

    def send(self, envelope: Envelope) -> dict[str, str]:
        """Hand the message over; the refused recipients, with the server's replies."""
        size = self._size_parameter(len(envelope.message))
        self._doing = "naming the sender"
        self._expect(self._client.docmd("MAIL", f"FROM:<{envelope.sender}>{size}"), "the sender")
        refused = self._name_recipients(envelope.recipients)
        self._doing = "sending the message"
        self._expect(self._client.docmd("DATA"), "the message", digit=3)
        self._client.send(_stuffed(envelope.message))
        self._is_unsure = True
        code, reply = self._client.getreply()
        if not 200 <= code < 600:
            raise OSError("its answer is no SMTP")
        self._is_unsure = False
        self._expect((code, reply), "the message")
        return refused

    def close(self) -> None:
        """Say QUIT where there is still somebody to say it to, and hang up."""
        if self._client.sock and not self._lifeline.is_cut:
            with suppress(OSError):
                self._client.sock.settimeout(_FAREWELL)
                self._client.docmd("QUIT")
        self._client.close()

    def failure(self, error: OSError, resend_if_unsure: bool) -> StepFailed:
        """What a broken conversation means for the step."""
        import ssl

        if self._is_unsure:
            return self._unsure(self._reason(error), resend_if_unsure)
        if isinstance(error, ssl.SSLCertVerificationError):
            reason = f"the certificate of {self._server} is not valid: {error.verify_message}"
            return StepFailed(f"{reason}; name its issuer in `ca_file` if it is your own", permanent=True)
        return StepFailed(f"no mail sent through {self._server}: {self._reason(error)} (while {self._doing})")

    def _unsure(self, reason: str, resend: bool) -> StepFailed:
        return StepFailed(
            f"the mail may have been sent: {self._server} got all of it and did not confirm ({reason})"
            + ("" if resend else "; it is not sent again, unless the step says `resend_if_unsure: true`"),
            permanent=not resend,
        )

    def _reason(self, error: OSError) -> str:
        if self._lifeline.has_expired:
            return f"not done within {in_words(self._server.timeout)}"
        if self._lifeline.is_cut:
            return "the step was told to stop"
        return _one_line(error.strerror or str(error)) or type(error).__name__

    def _talk_over(self, connection: socket.socket) -> None:
        """Start with nothing known: what was said before TLS does not count after it (RFC 3207, 4.2)."""
        import smtplib

        self._client = smtplib.SMTP(local_hostname=_own_name(connection))
        self._client.sock = connection
        self._client.file = BoundedLines(connection, _REPLIES_AT_MOST)

    def _encrypted(self, connection: socket.socket) -> socket.socket:
        self._doing = "starting TLS"
        return self._context.wrap_socket(connection, server_hostname=self._server.host)

    def _introduce(self) -> None:
        self._doing = "introducing itself"
        if self._client.ehlo()[0] != 250:
            self._expect(self._client.helo(), "the introduction")

    def _start_tls(self, connection: socket.socket) -> None:
        if not self._client.has_extn("starttls"):
            raise StepFailed(
                f"the server {self._server} offers no STARTTLS, and nothing is sent in the clear; "
                "if it encrypts from the start (mostly on port 465), say `security: tls`",
                permanent=True,
            )
        self._expect(self._client.docmd("STARTTLS"), "STARTTLS")
        self._talk_over(self._encrypted(connection))
        self._introduce()

    def _log_in(self, username: str, password: Redacted) -> None:
        """AUTH. Of the server's answer only the codes are told on: its text may repeat the password."""
        import smtplib

        self._doing = "logging in"
        try:
            self._client.login(username, password.reveal())
        except smtplib.SMTPServerDisconnected:
            raise
        except smtplib.SMTPAuthenticationError as error:
            raise self._login_refused(error.smtp_code, error.smtp_error) from None
        except smtplib.SMTPException:
            raise self._no_login("it offers no login by password") from None
        except UnicodeError:
            raise self._no_login("the user name and the password must be ASCII") from None
        except ValueError:
            raise self._no_login("its challenge cannot be read") from None

    def _login_refused(self, code: int, reply: bytes | str) -> StepFailed:
        text = reply if isinstance(reply, str) else reply.decode("latin-1")
        status = re.match(r"[245]\.\d{1,3}\.\d{1,3}\b", text)  # RFC 3463
        codes = f"{code} {status[0]}" if status else f"{code}"
        return StepFailed(
            f"the server {self._server} refused the login ({codes}); look at `username` and `password`",
            permanent=code >= 500,
        )

    def _no_login(self, reason: str) -> StepFailed:
        return StepFailed(f"no login at the server {self._server}: {reason}", permanent=True)

    def _size_parameter(self, size: int) -> str:
        """` SIZE=...` where the server knows it (RFC 1870), so that it can refuse before all is sent."""
        if not self._client.has_extn("size"):
            return ""
        limit = self._client.esmtp_features["size"].strip()
        if re.fullmatch(r"[1-9][0-9]{0,18}", limit) and int(limit) < size:
            raise StepFailed(
                f"the mail has {size:,} bytes, and the server {self._server} takes at most {int(limit):,}",
                permanent=True,
            )
        return f" SIZE={size}"

    def _name_recipients(self, recipients: tuple[str, ...]) -> dict[str, str]:
        self._doing = "naming the recipients"
        refused: dict[str, Reply] = {}
        for recipient in recipients:
            code, reply = self._client.docmd("RCPT", f"TO:<{recipient}>")
            if code // 100 != 2:
                refused[recipient] = code, reply
        shown = {recipient: _shown(reply) for recipient, reply in refused.items()}
        if len(refused) == len(recipients):
            raise StepFailed(
                f"no mail sent: the server {self._server} refused {in_one_line(shown)}",
                permanent=all(code >= 500 for code, _ in refused.values()),
            )
        return shown

    def _expect(self, reply: Reply, what: str, digit: int = 2) -> None:
        if reply[0] // 100 != digit:
            raise StepFailed(
                f"no mail sent: the server {self._server} refused {what}: {_shown(reply)}",
                permanent=reply[0] >= 500,
            )


def in_one_line(refused: dict[str, str]) -> str:
    """The refused recipients with the server's replies, for a message."""
    return "; ".join(f"`{recipient}` ({reply})" for recipient, reply in refused.items())


def _tls_context(server: Server) -> "ssl.SSLContext":
    import ssl

    if server.security == "none":
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # never used; reading certificates takes its time
    try:
        return ssl.create_default_context(cafile=server.ca_file)
    except OSError as error:
        reason = "there is no certificate in it" if isinstance(error, ssl.SSLError) else error.strerror
        raise StepFailed(f"the `ca_file` for {server} cannot be used: {reason}", permanent=True) from error


def _own_name(connection: socket.socket) -> str:
    """What to call ourselves, without asking DNS: a full host name or our address (RFC 5321, 4.1.4)."""
    name = socket.gethostname()
    if re.fullmatch(r"[A-Za-z0-9.-]+\.[A-Za-z0-9-]+", name):
        return name
    address = str(connection.getsockname()[0]).partition("%")[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


def _stuffed(message: bytes) -> bytes:
    """The message with its dots doubled and its end marked (RFC 5321, section 4.5.2)."""
    return re.sub(rb"(?m)^\.", b"..", message) + b".\r\n"


def _shown(reply: Reply) -> str:
    code, text = reply
    return f"{code if code > 0 else 'no reply code'} {_one_line(text.decode('utf-8', 'replace'))}".strip()


def _one_line(text: str) -> str:
    visible = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(visible.split())[:_REPLY_SHOWN]
