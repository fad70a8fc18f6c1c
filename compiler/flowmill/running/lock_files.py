"""`mutex` between the runs of one user on one machine: a lock on a file, which the kernel frees with its process."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from flowmill.running.mutex import waiting
from flowmill_tasks.base import Log, StepFailed

ASK_EVERY = 0.1
"""Seconds. A wait inside the kernel could not be cancelled."""


class LockFiles:
    """Mutexes as files of `folder`, one for each name; they stay there, empty, when nobody holds them."""

    def __init__(self, folder: Path | None = None) -> None:
        """
        Args:
            folder: None is `flowmill/locks` in the user's folder for caches.
        """
        self._folder = folder

    @asynccontextmanager
    async def hold(self, name: str, log: Log) -> AsyncIterator[None]:
        """See `Mutexes.hold`."""
        descriptor = self._opened(name)
        try:
            if not _taken(descriptor):
                log.info(waiting(name))
                while not _taken(descriptor):
                    await asyncio.sleep(ASK_EVERY)
            yield
        finally:
            os.close(descriptor)  # which frees the lock

    def _opened(self, name: str) -> int:
        try:
            folder = self._folder or cache_folder() / "locks"
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            return os.open(folder / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except (OSError, RuntimeError) as error:  # RuntimeError: the user has no home
            reason = error.strerror if isinstance(error, OSError) else "the user has no home folder"
            raise StepFailed(f"the mutex `{name}` cannot be held: its lock file cannot be opened ({reason})") from None


def cache_folder() -> Path:
    """Where flowmill keeps what may be deleted when no run goes on."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(given) if Path(given).is_absolute() else Path.home() / ".cache"
    return base / "flowmill"


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
