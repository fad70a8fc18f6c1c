"""Which workers this machine has: a file for each name, locked as long as its worker lives.

Prefect keeps of a run which worker took it, by name, and no machine. So the names that are a machine's own are
written down there, and what a worker of such a name has left behind may be judged by the processes of the machine.
"""

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flowmill.running.lock_files import cache_folder
from flowmill_tasks import owner

_ENDING = ".worker"


class NameTaken(Exception):
    """A worker of this name lives on this machine."""


@dataclass(frozen=True)
class WorkerNames:
    """The workers that this user has on this machine, for one pool of one Prefect server.

    Attributes:
        api: the address of the server: pools of two servers may have one name.
        folder: None is `flowmill/workers` in the user's folder for caches.
    """

    api: str
    pool: str
    folder: Path | None = None

    @contextmanager
    def held(self, name: str) -> Iterator[int]:
        """Take a name for as long as the block lasts. The open file, which whoever inherits it holds as well.

        Raises:
            NameTaken: another process has it.
            OSError: the file cannot be made.
        """
        self._place.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self._file(name), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if not _locked(descriptor):
                raise NameTaken(name)
            os.truncate(descriptor, 0)
            os.pwrite(descriptor, owner.namespace().encode(), 0)
            yield descriptor
        finally:
            os.close(descriptor)

    def last_alive(self, name: str) -> float | None:
        """When `stamp` was last called for it, in seconds since 1970; None for a name that is not of this machine."""
        try:
            return self._file(name).stat().st_mtime
        except OSError:
            return None

    def stamp(self, name: str) -> None:
        """Note that the worker lives."""
        now = time.time()
        os.utime(self._file(name), (now, now))

    def dead(self) -> set[str]:
        """The names whose worker does not live any more."""
        return {_name(path) for path in self._files() if not _is_held(path)}

    def all(self) -> set[str]:
        """Every name that this machine has had."""
        return {_name(path) for path in self._files()}

    def _files(self) -> list[Path]:
        """The files of workers whose processes could be seen from here: not those in another container."""
        return [path for path in sorted(self._place.glob(f"*{_ENDING}")) if _namespace_in(path) == owner.namespace()]

    def _file(self, name: str) -> Path:
        return self._place / f"{name}{_ENDING}"

    @property
    def _place(self) -> Path:
        # A home may be shared by machines.
        where = hashlib.sha256(f"{self.api} {owner.host()}".encode()).hexdigest()[:16]
        return (self.folder or cache_folder() / "workers") / f"{self.pool}@{where}"


def _name(path: Path) -> str:
    return path.name.removesuffix(_ENDING)


def _namespace_in(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _is_held(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not _locked(descriptor)
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
