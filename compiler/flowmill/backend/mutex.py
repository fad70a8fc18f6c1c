"""`mutex` on a Prefect server: a global concurrency limit of one slot, held by a lease that ends with its holder.

Prefect's embedded server is not asked: it keeps leases in memory, so a run that is killed would leave its slot
taken for ever. See docs/decisions/014-mutex.md.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from uuid import UUID

import httpx
from anyio import CancelScope
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate
from prefect.client.schemas.responses import ConcurrencyLimitWithLeaseResponse
from prefect.exceptions import ObjectAlreadyExists
from prefect.settings import PREFECT_API_URL

from flowmill.running.lock_files import LockFiles
from flowmill.running.mutex import waiting
from flowmill.running.runtime import Runtime
from flowmill_tasks.base import Log, StepFailed

PREFIX = "flowmill-mutex-"
"""What the name of a mutex's global concurrency limit begins with."""
LEASE = 300.0
"""Seconds after which a mutex is free whose holder was killed; a server accepts 60 and more."""
RENEWALS = 4
"""How often a lease is renewed within its time: one or two that fail do no harm."""
ASK_EVERY = 2.0
"""Seconds between two questions of who waits. Prefect's own advice, up to 30, would leave a free mutex idle."""


class ServerMutexes:
    """Mutexes between all runs of one Prefect server, on whichever machines they are."""

    def __init__(self, lease: float = LEASE) -> None:
        self._lease = lease

    @asynccontextmanager
    async def hold(self, name: str, log: Log) -> AsyncIterator[None]:
        """See `Mutexes.hold`."""
        async with get_client() as client:
            lease = await self._wait(client, name, log)
            renewing = asyncio.create_task(self._renew(client, lease, name, log))
            try:
                yield
            finally:
                renewing.cancel()
                with CancelScope(shield=True):
                    await self._release(client, lease, name, log)

    async def _wait(self, client: PrefectClient, name: str, log: Log) -> UUID:
        """Take the slot, however long that takes."""
        told = False
        try:
            while (lease := await self._taken(client, PREFIX + name)) is None:
                if not told:
                    log.info(waiting(name))
                told = True
                await asyncio.sleep(ASK_EVERY)
        except httpx.HTTPError as error:
            raise StepFailed(f"the mutex `{name}` cannot be held: {_words(error)}") from None
        return lease

    async def _taken(self, client: PrefectClient, limit: str) -> UUID | None:
        """The lease of the slot, None while another has it."""
        asked = asyncio.ensure_future(self._ask(client, limit))
        try:
            return await asyncio.shield(asked)
        except asyncio.CancelledError:
            # The answer is on its way: what it may give us has to be given back.
            with CancelScope(shield=True), suppress(httpx.HTTPError):
                if lease := await asked:
                    await client.release_concurrency_slots_with_lease(lease)
            raise

    async def _ask(self, client: PrefectClient, limit: str) -> UUID | None:
        try:
            answer = await client.increment_concurrency_slots_with_lease([limit], 1, "concurrency", self._lease)
        except httpx.HTTPStatusError as error:
            if error.response.status_code != httpx.codes.LOCKED:
                raise
            return None
        given = ConcurrencyLimitWithLeaseResponse.model_validate(answer.json())
        if given.limits:
            return given.lease_id
        with suppress(ObjectAlreadyExists):  # another run was faster
            await client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name=limit, limit=1))
        return await self._ask(client, limit)

    async def _renew(self, client: PrefectClient, lease: UUID, name: str, log: Log) -> None:
        """Keep the lease; when it is lost, say so. The step goes on: what it has begun is no better half done."""
        ends = time.monotonic() + self._lease
        while time.monotonic() < ends:
            await asyncio.sleep(self._lease / RENEWALS)
            began = time.monotonic()
            try:
                await client.renew_concurrency_lease(lease, self._lease)
                ends = began + self._lease
            except httpx.HTTPStatusError as error:
                if error.response.status_code == httpx.codes.GONE:
                    break
            except httpx.HTTPError:
                continue
        log.warning(f"the mutex `{name}` is lost: Prefect has not heard of this run in time, so another may hold it")

    async def _release(self, client: PrefectClient, lease: UUID, name: str, log: Log) -> None:
        try:
            await client.release_concurrency_slots_with_lease(lease)
        except httpx.HTTPError as error:
            log.warning(f"the mutex `{name}` is free only in {self._lease:g} s: {_words(error)}")


class PrefectMutexes:
    """A lock file, and on a configured server also its limit: so local runs and those of workers exclude each other.

    The file comes first: of the runs on one machine a single one asks the server.
    """

    def __init__(self, files: LockFiles | None = None, server: ServerMutexes | None = None) -> None:
        self._files = files or LockFiles()
        self._server = server or ServerMutexes()

    @asynccontextmanager
    async def hold(self, name: str, log: Log) -> AsyncIterator[None]:
        """See `Mutexes.hold`."""
        async with self._files.hold(name, log):
            if not PREFECT_API_URL.value():  # the embedded server
                yield
                return
            async with self._server.hold(name, log):
                yield


def with_mutexes(runtime: Runtime) -> Runtime:
    """The runtime with mutexes that hold beyond its process."""
    return replace(runtime, mutexes=PrefectMutexes())


def _words(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.HTTPStatusError):
        return f"Prefect answers {error.response.status_code}"
    return f"Prefect cannot be asked ({type(error).__name__})"
