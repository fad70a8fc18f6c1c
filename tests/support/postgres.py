"""A private PostgreSQL for a test session: a cluster of its own in a temporary folder, on a port of its own."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.prefect_server import free_port
from support.waiting import eventually

_PROGRAMS = ("initdb", "postgres", "createdb", "pg_isready")
_DEBIAN = Path("/usr/lib/postgresql")  # whose programs are not in PATH
_ACCOUNT = "postgres"
_STOP_WITHIN = 15

# What is lost when the machine stops does not matter; the machine is small.
_OPTIONS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "16MB",
    "max_connections": "100",
    "listen_addresses": "127.0.0.1",
}


@dataclass(frozen=True)
class Postgres:
    """A running cluster.

    Attributes:
        port: where it listens, on the loopback address; every user of the machine may log in without a password.
        programs: the folder of its programs.
    """

    port: int
    programs: Path

    def url(self, database: str) -> str:
        """What `PREFECT_API_DATABASE_CONNECTION_URL` has to be."""
        return f"postgresql+asyncpg://{_ACCOUNT}@127.0.0.1:{self.port}/{database}"

    def database(self, name: str) -> str:
        """Make an empty database; its connection URL."""
        self._run("createdb", name)
        return self.url(name)

    def is_ready(self) -> bool:
        return self._run("pg_isready", "--quiet", check=False) == 0

    def _run(self, program: str, *arguments: str, check: bool = True) -> int:
        login = ["--host", "127.0.0.1", "--port", str(self.port), "--username", _ACCOUNT]
        return subprocess.run([self.programs / program, *login, *arguments], check=check).returncode


def problem() -> str:
    """Why no cluster can be started on this machine; empty when one can."""
    if _programs() is None:
        return f"`initdb` and `postgres` are neither in PATH nor in {_DEBIAN}/*/bin; install postgresql"
    if os.getuid() == 0 and not _has_account():
        return f"it refuses to run as root, and there is no user `{_ACCOUNT}`; install postgresql"
    return ""


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """A cluster that has answered, and that is gone afterwards with its data; nothing may be its `problem`."""
    programs = _programs()
    assert programs, problem()
    cluster = Postgres(free_port(), programs)
    # Not in pytest's folders, which are for the user alone who runs the tests.
    with tempfile.TemporaryDirectory(prefix="flowmill-postgres-", ignore_cleanup_errors=True) as folder:
        if os.getuid() == 0:
            shutil.chown(folder, _ACCOUNT)
        data, log = Path(folder) / "data", Path(folder) / "postgres.log"
        _make(programs, data)
        with log.open("wb") as output:
            process = subprocess.Popen(_start(cluster, data), cwd=folder, stdout=output, stderr=subprocess.STDOUT)
        try:
            eventually(lambda: process.poll() is not None or cluster.is_ready())
            assert process.poll() is None, log.read_text()
            yield cluster
        finally:
            _end(process)


def _programs() -> Path | None:
    """The folder of the newest version that has all programs; what is in PATH comes first."""
    found = shutil.which("postgres")
    versions = sorted(_DEBIAN.glob("*/bin"), key=lambda path: [int(part) for part in path.parts[-2].split(".")])
    folders = [*([Path(found).resolve().parent] if found else []), *reversed(versions)]
    return next((folder for folder in folders if all((folder / name).exists() for name in _PROGRAMS)), None)


def _has_account() -> bool:
    with contextlib.suppress(KeyError):
        return bool(pwd.getpwnam(_ACCOUNT))
    return False


def _as_account(command: list[str]) -> list[str]:
    """PostgreSQL does not run as root."""
    if os.getuid() != 0:
        return command
    return ["setpriv", f"--reuid={_ACCOUNT}", f"--regid={_ACCOUNT}", "--clear-groups", "--", *command]


def _make(programs: Path, data: Path) -> None:
    options = ["--auth=trust", f"--username={_ACCOUNT}", "--encoding=UTF8", "--locale=C", "--no-sync"]
    command = _as_account([str(programs / "initdb"), f"--pgdata={data}", *options])
    made = subprocess.run(command, cwd=data.parent, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr


def _start(cluster: Postgres, data: Path) -> list[str]:
    options = {**_OPTIONS, "port": str(cluster.port), "unix_socket_directories": str(data.parent)}
    words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    return _as_account([str(cluster.programs / "postgres"), "-D", str(data), *words])


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGINT)  # SIGTERM would wait until every client has left
    try:
        process.wait(_STOP_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
