"""The part of GitHub's API that comments on a pull request need, on a loopback port: real sockets, comments kept."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from support.serving import serving

TOKEN = "token-of-the-job"


@dataclass
class GitHub:
    """What the server has.

    Attributes:
        api: its address.
        comments: those on the one pull request that there is, the first one first.
        writes: method and path of every request that changed something.
    """

    api: str = ""
    comments: list[dict[str, Any]] = field(default_factory=list)
    writes: list[tuple[str, str]] = field(default_factory=list)

    def say(self, author: str, body: str) -> dict[str, Any]:
        """Add a comment."""
        comment = {"id": 1000 + len(self.comments), "user": {"login": author}, "body": body}
        self.comments.append(comment)
        return comment


@contextmanager
def github() -> Iterator[GitHub]:
    """A running server, whose jobs write as `github-actions[bot]`."""
    listening = _Server(("127.0.0.1", 0), _Handler)
    listening.github = GitHub(f"http://127.0.0.1:{listening.server_port}")
    with serving(listening):
        yield listening.github


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    github: GitHub


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        asked = parse_qs(urlsplit(self.path).query)
        size, page = int(asked["per_page"][0]), int(asked["page"][0])
        self._answer(200, self.server.github.comments[(page - 1) * size : page * size])

    def do_POST(self) -> None:
        self._answer(201, self.server.github.say("github-actions[bot]", self._body()))

    def do_PATCH(self) -> None:
        id = int(re.findall(r"/issues/comments/(\d+)$", self.path)[0])
        comment = next(it for it in self.server.github.comments if it["id"] == id)
        comment["body"] = self._body()
        self._answer(200, comment)

    def _body(self) -> str:
        self.server.github.writes.append((self.command, urlsplit(self.path).path))
        return str(json.loads(self.rfile.read(int(self.headers["content-length"])))["body"])

    def _answer(self, status: int, content: Any) -> None:
        if self.headers["authorization"] != f"Bearer {TOKEN}":
            status, content = 401, {"message": "Bad credentials"}
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the test's output is for the test."""
