"""Mail servers on loopback ports: aiosmtpd, which behaves, and a scripted one, which need not."""

import asyncio
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from support.certificate import Certificate


@dataclass(frozen=True)
class Received:
    """One mail that a server took: its envelope and its bytes."""

    sender: str
    recipients: list[str]
    data: bytes

    @property
    def message(self) -> EmailMessage:
        return parsed(self.data)


def parsed(data: bytes) -> EmailMessage:
    message = BytesParser(policy=policy.default).parsebytes(data)
    assert isinstance(message, EmailMessage)
    return message


@dataclass
class MailServer:
    """A server that behaves; what it refuses is told when it is made. It is its own handler of aiosmtpd."""

    refused: Mapping[str, str] = field(default_factory=dict)
    """Replies to RCPT for recipients that it does not take."""
    answers: list[str] = field(default_factory=list)
    """Replies to the first messages, before it takes them."""
    password: str = ""
    received: list[Received] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
    """Every attempt to log in, right or wrong."""
    encrypted: list[bool] = field(default_factory=list)
    """Of every mail, whether it came through TLS."""
    port: int = 0

    def __post_init__(self) -> None:
        self.answers = [*self.answers]

    def settings(self, **more: Any) -> dict[str, Any]:
        """The key `smtp` for this server."""
        return {"host": "127.0.0.1", "port": self.port, "security": "none", "timeout": 5, **more}

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword
    ) -> AuthResult:
        self.logins.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=self.logins[-1][1] == self.password)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.answers:
            return self.answers.pop(0)
        assert isinstance(envelope.content, bytes)
        self.received.append(Received(envelope.mail_from or "", envelope.rcpt_tos, envelope.content))
        assert server.transport is not None
        self.encrypted.append(server.transport.get_extra_info("ssl_object") is not None)
        return "250 taken"


@contextmanager
def mail_server(
    security: str = "none", certificate: Certificate | None = None, size: int = 0, **behaviour: Any
) -> Iterator[MailServer]:
    """A running server.

    Args:
        security: `none`, `starttls` (and nothing without it) or `tls`.
        size: the largest message that it takes, in bytes; 0 means any.
    """
    server = MailServer(**behaviour)
    context = certificate.context() if certificate else None

    def protocol() -> SMTP:
        return SMTP(
            server,
            data_size_limit=size or 2**30,
            tls_context=context if security == "starttls" else None,
            require_starttls=security == "starttls",
            authenticator=server.authenticate,
            auth_required=bool(server.password) and security == "starttls",
            auth_require_tls=security == "starttls",
            loop=loop,
        )

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    listening = asyncio.run_coroutine_threadsafe(
        loop.create_server(protocol, "127.0.0.1", 0, ssl=context if security == "tls" else None), loop
    ).result(5)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(_shut_down(listening), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


async def _shut_down(server: asyncio.Server) -> None:
    server.close()
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


Action = Callable[["ScriptedServer", socket.socket], None]
Answer = bytes | Action

_USUAL: dict[str, Answer] = {
    "connect": b"220 ready\r\n",
    "EHLO": b"250 hello\r\n",
    "AUTH": b"235 2.7.0 welcome\r\n",
    "DATA": b"354 go on\r\n",
    "QUIT": b"221 bye\r\n",
}


class ScriptedServer:
    """A server that answers each command as it was told to, and else as usual. It keeps what it is sent."""

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self.commands: list[str] = []
        """Every command line of every client, in order."""
        self.messages: list[bytes] = []
        """Every message whose end has come, as it came."""
        self.closing = threading.Event()
        self._answers = {**_USUAL, **answers}
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]

    def settings(self, **more: Any) -> dict[str, Any]:
        """The key `smtp` for this server."""
        return {"host": "127.0.0.1", "port": self.port, "security": "none", "timeout": 2, **more}

    def serve(self) -> None:
        """Take clients until the server is closed."""
        with suppress(OSError):
            while True:
                client, _ = self._socket.accept()
                threading.Thread(target=self._take, args=(client,), daemon=True).start()

    def _take(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            client.settimeout(30)
            self._converse(client)

    def close(self) -> None:
        self.closing.set()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _converse(self, client: socket.socket) -> None:
        self._answer("connect", client)
        lines = client.makefile("rb")
        while line := lines.readline():
            self.commands.append(line.decode("latin-1").rstrip())
            verb = self.commands[-1].split(" ")[0].upper()
            self._answer(verb, client)
            if verb == "DATA":
                self.messages.append(b"".join(iter(lines.readline, b".\r\n")))
                self._answer("end of message", client)

    def _answer(self, verb: str, client: socket.socket) -> None:
        answer = self._answers.get(verb, b"250 ok\r\n")
        if isinstance(answer, bytes):
            client.sendall(answer)
        else:
            answer(self, client)


@contextmanager
def scripted_server(**answers: Answer) -> Iterator[ScriptedServer]:
    """A running `ScriptedServer`; `end_of_message` is the answer to the dot that ends a message."""
    server = ScriptedServer({name.replace("_", " "): answer for name, answer in answers.items()})
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join(5)


def silence(server: ScriptedServer, client: socket.socket) -> None:
    """Say nothing, and keep the connection."""
    server.closing.wait(30)


def hang_up(server: ScriptedServer, client: socket.socket) -> None:
    client.shutdown(socket.SHUT_RDWR)


def reset(server: ScriptedServer, client: socket.socket) -> None:
    """Close with RST instead of FIN."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(client.detach())  # at once, although the reader of its lines still holds it


def half_close(server: ScriptedServer, client: socket.socket) -> None:
    """Never say anything again, but go on listening."""
    client.shutdown(socket.SHUT_WR)
    server.closing.wait(30)


def drip(data: bytes, every: float) -> Action:
    """Send `data` a byte at a time, with pauses of `every` seconds."""

    def action(server: ScriptedServer, client: socket.socket) -> None:
        for byte in data:
            client.sendall(bytes([byte]))
            if server.closing.wait(every):
                return

    return action


def endless(line: bytes) -> Action:
    """Send `line` again and again, as fast as it is taken."""

    def action(server: ScriptedServer, client: socket.socket) -> None:
        block = line * (65536 // len(line))
        while not server.closing.is_set():
            client.sendall(block)

    return action


@contextmanager
def full_port() -> Iterator[int]:
    """A port whose queue is full, so that a connection is neither taken nor refused."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listening:
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(listening.getsockname())
        try:
            yield listening.getsockname()[1]
        finally:
            for filler in fillers:
                filler.close()


def closed_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])
