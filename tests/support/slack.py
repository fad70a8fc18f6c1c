"""A stand-in for Slack on a loopback port: real sockets, answers as scripted, every request kept."""

import json
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from socketserver import TCPServer
from typing import Any

from flowmill_tasks.fields import Redacted, Rendered
from flowmill_tasks.slack import Slack
from support.serving import serving

WEBHOOK_PATH = "/services/T000/B000/XXXXCANARYXXXX"
"""The path of `SlackEndpoint.webhook`: a secret, as a real one is."""


@dataclass(frozen=True)
class Reply:
    """One scripted answer."""

    status: int = 200
    body: bytes = b"ok"
    headers: Mapping[str, str] = field(default_factory=dict)
    after: float = 0.0
    """Seconds between the request and the answer."""
    per_byte: float = 0.0
    """Seconds before each byte of the body: a dripping answer."""
    times: int = 1
    """How often the body is sent in a row: 1,024 times a block of 50 kB makes 50 MB."""
    hang_up: bool = False
    """Close the connection instead of answering."""

    @classmethod
    def json(cls, value: Any, status: int = 200, **headers: str) -> "Reply":
        """An answer of the Web API."""
        return cls(status, json.dumps(value).encode(), {"Content-Type": "application/json", **headers})


@dataclass(frozen=True)
class Request:
    """One request as it came in."""

    method: str
    path: str
    headers: Mapping[str, str]
    """By their names in lower case."""
    body: bytes
    at: float
    """When it was complete, in seconds of `time.monotonic`."""

    def json(self) -> Any:
        return json.loads(self.body)


class SlackEndpoint:
    """The running endpoint. Each request takes the next reply; the last one is given again and again."""

    def __init__(self, replies: tuple[Reply, ...], tls: ssl.SSLContext | None) -> None:
        self.requests: list[Request] = []
        self.sent = 0
        """Bytes of bodies that clients have taken."""
        self.closing = threading.Event()
        self._replies = list(replies or (Reply(),))
        self._lock = threading.Lock()
        self.server = _Server(("127.0.0.1", 0), _Handler)
        self.server.endpoint = self
        self._scheme = "https" if tls else "http"
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)

    @property
    def base(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.server.server_address[1]}"

    @property
    def webhook(self) -> str:
        return self.base + WEBHOOK_PATH

    @property
    def api_url(self) -> str:
        return self.base + "/api/"

    def take(self, request: Request) -> Reply:
        """Keep the request and say how to answer it."""
        with self._lock:
            self.requests.append(request)
            return self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]


@contextmanager
def slack_endpoint(*replies: Reply, tls: ssl.SSLContext | None = None) -> Iterator[SlackEndpoint]:
    """A running endpoint; without replies it takes every message with `ok`, as a webhook does."""
    endpoint = SlackEndpoint(replies, tls)
    with serving(endpoint.server):
        try:
            yield endpoint
        finally:
            endpoint.closing.set()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    endpoint: SlackEndpoint

    def server_bind(self) -> None:
        # Not HTTPServer's, which looks up the name of the address and may wait for a name server.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: that a client goes away in the middle is what many tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.server.endpoint.take(Request(self.command, self.path, headers, body, at=time.monotonic()))
        self.close_connection = True
        self.server.endpoint.closing.wait(reply.after)
        if not reply.hang_up:
            self._answer(reply)

    do_GET = do_POST  # what a client would send after a redirect
    do_CONNECT = do_POST  # what a client sends to a proxy

    def _answer(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in {"Content-Length": str(len(reply.body) * reply.times), **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        with suppress(OSError):  # the client has seen enough
            for _ in range(reply.times):
                self._send_body(reply)

    def _send_body(self, reply: Reply) -> None:
        step = 1 if reply.per_byte else len(reply.body)
        for start in range(0, len(reply.body), step or 1):
            if reply.per_byte and self.server.endpoint.closing.wait(reply.per_byte):
                return
            self.wfile.write(reply.body[start : start + step])
            self.server.endpoint.sent += step

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on standard error."""


def to_webhook(address: str, **keys: Any) -> Slack:
    """A step as it is when the run has rendered it, with a text if `keys` has none."""
    return Slack.model_validate({"webhook": Redacted(address), "text": Rendered("hello"), **keys})


def section(text: Any) -> dict[str, Any]:
    """The Block Kit block for a paragraph."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def self_signed(folder: Path) -> Path:
    """A new key, and a certificate for 127.0.0.1 that nobody has signed, in one PEM file."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    certificate = builder.add_extension(address, critical=False).sign(key, hashes.SHA256())
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    file = folder / "server.pem"
    file.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain) + certificate.public_bytes(pem))
    return file


def server_context(certificate: Path) -> ssl.SSLContext:
    """For `slack_endpoint(tls=...)`, from the file that `self_signed` wrote."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context
