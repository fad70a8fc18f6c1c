"""`mutex`: steps that name the same word run one at a time, in whichever flows they are."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol

from flowmill_tasks.base import Log


class Mutexes(Protocol):
    """Gives the mutex behind a name."""

    def hold(self, name: str, log: Log) -> AbstractAsyncContextManager[None]:
        """Wait until nobody holds `name`, and hold it inside the block.

        Raises:
            StepFailed: it cannot be asked for.
        """
        ...


class InProcess:
    """Mutexes that hold between the steps of one run, for runs that no other process takes part in."""

    def __init__(self) -> None:
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    @asynccontextmanager
    async def hold(self, name: str, log: Log) -> AsyncIterator[None]:
        lock = self._locks[name]
        if lock.locked():
            log.info(waiting(name))
        async with lock:
            yield


def waiting(name: str) -> str:
    """What the log says of a step that has to wait."""
    return f"waits for the mutex `{name}`"
