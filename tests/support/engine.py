"""A Docker engine for tests: a small image, the containers of a run, a registry, a line that can be cut.

Needs an engine on the default socket, and Debian's `busybox-static`; nothing is downloaded.
"""

import base64
import contextlib
import gzip
import hashlib
import io
import json
import secrets
import shutil
import socket
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.models.containers import Container

IMAGE = "flowmill-test-busybox:1"
"""A shell and the usual commands, 2 MB."""

_COMMANDS = (
    "sh",
    "cat",
    "chown",
    "echo",
    "env",
    "grep",
    "head",
    "pwd",
    "sleep",
    "tail",
    "touch",
    "true",
    "yes",
)
_FOLDERS = ("bin", "etc", "proc", "tmp")
_SOCKET = "/var/run/docker.sock"


@dataclass(frozen=True)
class Engine:
    """The engine, and a key of its own for each test, so that tests can run at the same time."""

    client: docker.DockerClient
    key: str = field(default_factory=lambda: f"test-{secrets.token_hex(4)}.it")

    def containers(self, key: str = "") -> list[Container]:
        """What there is of a step, running or not."""
        labels = {"label": f"flowmill.key={key or self.key}"}
        return self.client.containers.list(all=True, ignore_removed=True, filters={**labels})

    def running(self) -> list[Container]:
        return [container for container in self.containers() if container.status == "running"]


@pytest.fixture
def engine() -> Iterator[Engine]:
    """An engine that has `IMAGE`; containers of the test are removed afterwards."""
    with contextlib.closing(docker.from_env()) as client:
        provide_image(client)
        engine = Engine(client)
        yield engine
        for container in engine.containers():
            container.remove(force=True)


def provide_image(client: docker.DockerClient, image: str = IMAGE) -> None:
    """See that the engine has the small image, under a name with a tag."""
    try:
        client.images.get(image)
    except docker.errors.ImageNotFound:
        name, tag = image.split(":")
        client.api.import_image_from_data(file_system(), repository=name, tag=tag)


@cache
def file_system() -> bytes:
    """The files of the image, as a tar archive."""
    busybox = shutil.which("busybox")
    assert busybox, "install busybox-static"
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for folder in _FOLDERS:
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            archive.addfile(entry)
        archive.add(Path(busybox).resolve(), "bin/busybox")
        for command in _COMMANDS:
            entry = tarfile.TarInfo(f"bin/{command}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(entry)
    return content.getvalue()


class ImageRegistry(ThreadingHTTPServer):
    """A registry on a loopback port, which the engine reads without TLS; it has one image under every name.

    Attributes:
        login: `user:password` that it asks for; empty for everybody.
        failing: set it to answer requests for a tag with an error.
        silent: set it to leave requests for a tag without an answer.
        pulls: the tags that were asked for, in order.
        logins: every `user:password` that was shown to it.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _RegistryRequest)
        self.login, self.failing, self.silent = "", False, False
        self.pulls: list[str] = []
        self.logins: set[str] = set()
        self.closing = threading.Event()
        self.host = f"127.0.0.1:{self.server_port}"
        self.blobs, self.manifest = _image_parts()
        self.digest = _digest(self.manifest)

    def image(self, tag: str = "1") -> str:
        """A reference to its image, by a name that no machine has yet."""
        return f"{self.host}/team/{secrets.token_hex(4)}:{tag}"


@pytest.fixture
def registry(engine: Engine) -> Iterator[ImageRegistry]:
    """A registry that answers during the test; what was pulled from it is removed afterwards."""
    with ImageRegistry() as registry:
        thread = threading.Thread(target=registry.serve_forever)
        thread.start()
        try:
            yield registry
        finally:
            registry.closing.set()
            registry.shutdown()
            thread.join()
    for image in engine.client.images.list():
        for name in [*image.tags, *(image.attrs["RepoDigests"] or [])]:
            if name.startswith(registry.host):
                with contextlib.suppress(docker.errors.ImageNotFound):
                    engine.client.images.remove(name, force=True)


def _image_parts() -> tuple[dict[str, bytes], bytes]:
    """The blobs by digest, and the manifest. Source: Docker Image Manifest V2, Schema 2."""
    files = file_system()
    layer = gzip.compress(files, compresslevel=1, mtime=0)
    settings = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Cmd": ["echo", "pulled"]},
        "rootfs": {"type": "layers", "diff_ids": [_digest(files)]},
    }
    config = json.dumps(settings).encode()
    kind = "application/vnd.docker."
    manifest = {
        "schemaVersion": 2,
        "mediaType": kind + "distribution.manifest.v2+json",
        "config": _descriptor(kind + "container.image.v1+json", config),
        "layers": [_descriptor(kind + "image.rootfs.diff.tar.gzip", layer)],
    }
    return {_digest(blob): blob for blob in (config, layer)}, json.dumps(manifest).encode()


def _descriptor(kind: str, blob: bytes) -> dict[str, Any]:
    return {"mediaType": kind, "size": len(blob), "digest": _digest(blob)}


def _digest(blob: bytes) -> str:
    return f"sha256:{hashlib.sha256(blob).hexdigest()}"


class _RegistryRequest(BaseHTTPRequestHandler):
    """The part of the registry's HTTP API that a pull uses."""

    server: ImageRegistry
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        *_, kind, reference = self.path.split("/")
        if not self._allowed():
            self._answer(401, b"{}", "application/json")
        elif kind == "manifests":
            self._manifest(reference)
        elif kind == "blobs" and reference in self.server.blobs:
            self._answer(200, self.server.blobs[reference], "application/octet-stream")
        else:
            self._answer(200 if self.path == "/v2/" else 404, b"{}", "application/json")

    do_HEAD = do_GET

    def _allowed(self) -> bool:
        header = self.headers.get("Authorization", "")
        given = base64.b64decode(header.removeprefix("Basic ")).decode()
        self.server.logins |= {given} - {""}
        return given == self.server.login or not self.server.login

    def _manifest(self, reference: str) -> None:
        if self.server.silent:
            self.server.closing.wait()
            self.close_connection = True
            return
        if not reference.startswith("sha256:"):
            self.server.pulls.append(reference)
        if self.server.failing:
            self._answer(500, b"{}", "application/json")
        else:
            kind = json.loads(self.server.manifest)["mediaType"]
            self._answer(200, self.server.manifest, kind)

    def _answer(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Docker-Content-Digest", _digest(body))
        self.send_header("WWW-Authenticate", 'Basic realm="test"')
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the test's output is for the test."""


class CuttableLine:
    """A TCP address that leads to the engine until the line is cut."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"
        self._ends: list[socket.socket] = [self._listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """End every connection, and accept no more."""
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect(_SOCKET)
                self._ends += [near, far]
                for ends in ((near, far), (far, near)):
                    threading.Thread(target=_copy, args=ends, daemon=True).start()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
