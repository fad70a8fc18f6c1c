"""A real Prefect server for a test session: on a port, in a home and with a database of its own."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from prefect.client.orchestration import SyncPrefectClient

from support.unmeasured import unmeasured
from support.waiting import PATIENCE, eventually

STOP_WITHIN = 15

_SETTINGS = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_ENABLED": "false",
    "PREFECT_LOGGING_SERVER_LEVEL": "WARNING",
    # How often a run asks again that has to wait for another, and how often leases are looked through.
    "PREFECT_SERVER_DEPLOYMENTS_CONCURRENCY_SLOT_WAIT_SECONDS": "1",
    "PREFECT_SERVER_SERVICES_REPOSSESSOR_LOOP_SECONDS": "1",
}


@dataclass
class PrefectServer:
    """A server on this machine, and its process.

    Attributes:
        api_url: what `PREFECT_API_URL` has to be; it stays the same when the server is started again.
        home: its `PREFECT_HOME`, which holds the database unless that is elsewhere.
        database_url: the connection URL of a database that is elsewhere; empty for the file in `home`.
        settings: variables that it is started with, over those that suit most tests.
    """

    api_url: str
    home: Path
    database_url: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    _process: "subprocess.Popen[bytes] | None" = field(default=None, init=False, repr=False)

    @property
    def pid(self) -> int:
        """Its process, while it runs."""
        assert self._process
        return self._process.pid

    def client(self) -> SyncPrefectClient:
        return SyncPrefectClient(self.api_url)

    def database(self) -> bytes:
        """What lies in the files of the database in `home`, the write-ahead log included."""
        return b"".join(path.read_bytes() for path in sorted(self.home.glob("prefect.db*")))

    @property
    def log(self) -> str:
        """What the server has printed, all its starts together."""
        return _log(self).read_text(errors="replace")

    def start(self) -> None:
        """Start it, and wait until it answers.

        Raises:
            RuntimeError: it has ended or does not answer; the end of its log is in the message.
        """
        with _log(self).open("ab") as output:
            self._process = subprocess.Popen(
                _command(urlsplit(self.api_url).port),
                cwd=self.home,
                env={**unmeasured(), **_SETTINGS, **_place(self), **self.settings},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        _wait_until_healthy(self, self._process)

    def kill(self) -> None:
        """End it at once, as a crash does, with all that it has started; nothing listens on its port afterwards."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None
        eventually(lambda: not _is_listening(urlsplit(self.api_url).port))

    def restart(self) -> None:
        """Kill it if it still runs, and start it again at the same address, with the same database."""
        self.kill()
        self.start()

    def stop(self) -> None:
        """Ask it to end, and end it with all that it has started."""
        if self._process is not None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_WITHIN)
        self.kill()


@contextmanager
def running_server(home: Path, database: str = "", **settings: str) -> Iterator[PrefectServer]:
    """A server that has answered, and that is gone afterwards, also if a test has killed or restarted it.

    Args:
        database: the connection URL of its database, as `Postgres.database` makes it; by default a file in `home`.
        settings: see `PrefectServer`.
    """
    server = PrefectServer(f"http://127.0.0.1:{free_port()}/api", home, database, settings)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@contextmanager
def addressed(server: PrefectServer) -> Iterator[None]:
    """Prefect in this process, and in those that it starts, talks to this server."""
    from prefect.context import refresh_global_settings_context

    before = os.environ.get("PREFECT_API_URL")
    os.environ["PREFECT_API_URL"] = server.api_url
    refresh_global_settings_context()
    try:
        yield
    finally:
        del os.environ["PREFECT_API_URL"]
        if before is not None:
            os.environ["PREFECT_API_URL"] = before
        refresh_global_settings_context()


def free_port() -> int:
    """A port of the loopback address on which nothing listens now."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def _command(port: int | None) -> list[str]:
    return [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]


def _place(server: PrefectServer) -> dict[str, str]:
    home = {"PREFECT_HOME": str(server.home), "PREFECT_UI_API_URL": server.api_url}
    return {**home, "PREFECT_API_DATABASE_CONNECTION_URL": server.database_url} if server.database_url else home


def _log(server: PrefectServer) -> Path:
    return server.home / "server.log"


def _is_listening(port: int | None) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


def _wait_until_healthy(server: PrefectServer, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + PATIENCE
    pause = threading.Event()
    while not _is_healthy(server.api_url):
        late = time.monotonic() >= deadline
        if late or process.poll() is not None:
            why = f"did not answer within {PATIENCE} s" if late else f"ended with {process.returncode}"
            raise RuntimeError(f"the Prefect server {why}:\n{server.log[-4000:]}")
        pause.wait(0.1)


def _is_healthy(api_url: str) -> bool:
    # No proxy of the machine stands between a test and its own loopback address.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with contextlib.suppress(OSError), opener.open(f"{api_url}/health", timeout=5) as answer:
        return bool(answer.status == 200)
    return False
