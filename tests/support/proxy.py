"""A reverse proxy in front of a Prefect server: keeps every request, and gets in its way as a test's rules say.

Its clients speak HTTP/1.1 to it. It is for the API of a server on this machine; there are no websockets behind it.
"""

import contextlib
import json
import math
import re
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from support.serving import serving

ALWAYS = math.inf
_READING = re.compile(r"/(filter|paginate|count|read|get_scheduled_flow_runs)/?$")
_OF_THE_CONNECTION = {"connection", "keep-alive", "transfer-encoding", "content-length", "upgrade", "te", "trailer"}


@dataclass(frozen=True)
class Answer:
    """What a client gets; without a status, its connection is reset."""

    status: int = 0
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = (("content-type", "application/json"),)


RESET = Answer()
UNAVAILABLE = Answer(503, b'{"detail": "Service Unavailable"}')
UNAUTHORISED = Answer(401, b'{"exception_message": "Unauthorized"}')
NOT_FOUND = Answer(404, b'{"detail": "Not Found"}')
HTML = Answer(200, b"<!doctype html><title>Log in</title>", (("content-type", "text/html; charset=utf-8"),))
"""What a login page, or the user interface where the API was meant, answers."""


@dataclass
class Request:
    """One request as it came in.

    Attributes:
        path: below the API's address, without the query: `/deployments/`.
        started, ended: seconds of `time.monotonic`; while it is in flight, until the answer is sent, `ended` is 0.
        status: what the client got; 0 while it is in flight, and when it got no answer.
        forwarded: whether the server has got it.
    """

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    started: float
    ended: float = 0.0
    status: int = 0
    forwarded: bool = False

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def is_write(self) -> bool:
        """Whether it changes something on the server."""
        reads = self.method == "POST" and _READING.search(self.path)
        return not reads and self.method not in ("GET", "HEAD", "OPTIONS")


@dataclass
class Rule:
    """What happens to some requests, see `Proxy.rule`; `matched` counts those that it was about."""

    method: str
    path: str
    answer: Answer | None
    forward: bool
    nth: int
    times: float
    delay: float
    before: Callable[[], Any] | None
    after: Callable[[], Any] | None
    matched: int = 0

    def takes(self, request: Request) -> bool:
        """Count the request if it matches; whether the rule is to be carried out on it."""
        if self.method not in ("", request.method) or not re.fullmatch(self.path, request.path):
            return False
        self.matched += 1
        return self.nth <= self.matched < self.nth + self.times


@dataclass
class Proxy:
    """A running proxy.

    Attributes:
        api_url: what `PREFECT_API_URL` has to be.
        requests: every request, in the order in which they came.
        max_in_flight: how many requests there were at the same time, at most.
    """

    api_url: str
    server: str
    prefix: str
    requests: list[Request] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    max_in_flight: int = 0
    closing: threading.Event = field(default_factory=threading.Event)
    _in_flight: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def writes(self) -> list[Request]:
        """The requests that change something on the server."""
        return [request for request in list(self.requests) if request.is_write]

    def rule(
        self,
        method: str = "",
        path: str = ".*",
        *,
        answer: Answer | None = None,
        forward: bool = False,
        nth: int = 1,
        times: float = 1,
        delay: float = 0.0,
        before: Callable[[], Any] | None = None,
        after: Callable[[], Any] | None = None,
    ) -> Rule:
        """Get in the way of requests. The first rule that takes a request is carried out, and no other.

        Args:
            method: of the requests; every one by default.
            path: a regular expression for the whole path, as `Request.path` has it.
            answer: given instead of the server's.
            forward: with an answer: the server gets the request first, and its own answer is lost.
            nth: the first matching request that is meant, counted from 1 and from now on.
            times: how many requests are meant from there on; `ALWAYS` for all.
            delay: seconds for which the request is held before anything else happens.
            before: called when the server has not seen the request yet.
            after: called when the server has answered and the client does not know it yet.
        """
        made = Rule(method, path, answer, forward or answer is None, nth, times, delay, before, after)
        with self._lock:
            self.rules.append(made)
        return made

    def arrive(self, request: Request) -> Rule:
        """Note a request, and say what happens to it."""
        with self._lock:
            self.requests.append(request)
            self._in_flight += 1
            self.max_in_flight = max(self.max_in_flight, self._in_flight)
            taking = [rule for rule in self.rules if rule.takes(request)]
        return taking[0] if taking else Rule("", "", None, True, 1, ALWAYS, 0.0, None, None)

    def leave(self, request: Request) -> None:
        with self._lock:
            request.ended = time.monotonic()
            self._in_flight -= 1


@contextmanager
def recording_proxy(api_url: str) -> Iterator[Proxy]:
    """A proxy for the server at this address (`http://host:port/api`)."""
    target = urlsplit(api_url)
    listening = _Server(("127.0.0.1", 0), _Handler)
    own = f"http://127.0.0.1:{listening.server_port}{target.path}"
    listening.proxy = proxy = Proxy(own, target.netloc, target.path.rstrip("/"))
    with serving(listening):
        try:
            yield proxy
        finally:
            proxy.closing.set()
    listening.hang_up()


class _Server(ThreadingHTTPServer):
    proxy: Proxy
    request_queue_size = 128

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.connections: set[socket.socket] = set()

    def hang_up(self) -> None:
        """End the connections that clients keep open."""
        for connection in list(self.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that a test has killed is no error.
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave together
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        self.server.connections.discard(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def do_any(self) -> None:
        if "upgrade" in self.headers:
            self._give(NOT_FOUND)
            return
        request = self._received()
        rule = self.server.proxy.arrive(request)
        try:
            answer = self._answer(rule, request)
        finally:
            self.server.proxy.leave(request)  # before the client can look whether it has left
        self._give(answer)

    do_GET = do_HEAD = do_OPTIONS = do_POST = do_PUT = do_PATCH = do_DELETE = do_any

    def _received(self) -> Request:
        started = time.monotonic()
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Request(self.command, path.removeprefix(self.server.proxy.prefix), query, headers, body, started)

    def _answer(self, rule: Rule, request: Request) -> Answer:
        """Carry out a rule; what is left is to give the answer."""
        self.server.proxy.closing.wait(rule.delay)
        if rule.before:
            rule.before()
        answer = self._forwarded(request) if rule.forward else RESET
        if rule.after:
            rule.after()
        answer = rule.answer or answer
        request.status = answer.status
        return answer

    def _forwarded(self, request: Request) -> Answer:
        """The server's answer; a reset if it gives none."""
        headers = {name: value for name, value in request.headers.items() if name not in _OF_THE_CONNECTION}
        with contextlib.closing(HTTPConnection(self.server.proxy.server)) as connection:
            try:
                connection.request(request.method, self.path, request.body or None, headers)
                request.forwarded = True
                return _read(connection.getresponse())
            except (OSError, HTTPException):
                return RESET

    def _give(self, answer: Answer) -> None:
        if not answer.status:
            self._reset()
            return
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        if answer.status not in (204, 304):
            self.send_header("content-length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)
        self.wfile.flush()

    def _reset(self) -> None:
        """With this option, the connection ends with RST."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        pass


def _read(response: HTTPResponse) -> Answer:
    kept = tuple((name, value) for name, value in response.getheaders() if name.lower() not in _OF_THE_CONNECTION)
    return Answer(response.status, response.read(), kept)
