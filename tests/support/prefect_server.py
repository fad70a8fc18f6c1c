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
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from prefect.client.orchestration import SyncPrefectClient

START_WITHIN = 120
"""Seconds. The first start makes the database, which takes long on a small or busy machine."""
STOP_WITHIN = 15

_SETTINGS = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_ENABLED": "false",
    "PREFECT_LOGGING_SERVER_LEVEL": "WARNING",
    # How often a run asks again that has to wait for another, and how often leases are looked through.
    "PREFECT_SERVER_DEPLOYMENTS_CONCURRENCY_SLOT_WAIT_SECONDS": "1",
    "PREFECT_SERVER_SERVICES_REPOSSESSOR_LOOP_SECONDS": "1",
}


@dataclass(frozen=True)
class PrefectServer:
    """A running server.

    Attributes:
        api_url: what `PREFECT_API_URL` has to be.
        home: its `PREFECT_HOME`, which holds the database.
    """

    api_url: str
    home: Path

    def client(self) -> SyncPrefectClient:
        return SyncPrefectClient(self.api_url)

    def database(self) -> bytes:
        """What lies in the files of the database, the write-ahead log included."""
        return b"".join(path.read_bytes() for path in sorted(self.home.glob("prefect.db*")))


@contextmanager
def running_server(home: Path) -> Iterator[PrefectServer]:
    """A server that has answered, and that is gone afterwards."""
    port = _free_port()
    server = PrefectServer(f"http://127.0.0.1:{port}/api", home)
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    log = home / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=home,
            env={**os.environ, **_SETTINGS, "PREFECT_HOME": str(home)},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_healthy(server, process, log)
        yield server
    finally:
        _end(process)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def _wait_until_healthy(server: PrefectServer, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_WITHIN
    pause = threading.Event()
    while not _is_healthy(server.api_url):
        late = time.monotonic() >= deadline
        if late or process.poll() is not None:
            why = f"did not answer within {START_WITHIN} s" if late else f"ended with {process.returncode}"
            raise RuntimeError(f"the Prefect server {why}:\n{log.read_text(errors='replace')[-4000:]}")
        pause.wait(0.1)


def _is_healthy(api_url: str) -> bool:
    # No proxy of the machine stands between a test and its own loopback address.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with contextlib.suppress(OSError), opener.open(f"{api_url}/health", timeout=5) as answer:
        return bool(answer.status == 200)
    return False


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Ask the server to end, and then end it with all that it has started."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_WITHIN)
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
