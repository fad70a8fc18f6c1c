"""The times of last successes on the Prefect server: a variable for each flow and environment.

Prefect changes a variable without looking at what it held, so two runs that end at one instant could both read an
old time and the earlier one write last. A global concurrency limit of one, called like the variable, is the lock
between reading and writing. It is taken as a limit whose slot decays, not with a lease: a lease that the server
holds in memory is gone when the server starts anew, and its slot would stay taken for ever. Here nobody has to
give a slot back: it is free again `HELD_AT_MOST` seconds after it was taken, counted by the server's database.

So of two runs one reads what the other has written, unless it stands still for that long between reading and
writing. It looks at its own clock before it writes; what is left is a request to the server that is under way for
longer. The worst that follows is an earlier success in place of a later one: the next run covers a span of time
twice, and never leaves one out.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate, VariableCreate, VariableUpdate
from prefect.client.schemas.objects import Variable
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound, PrefectException
from prefect.settings import get_current_settings

from flowmill.backend.address import address
from flowmill.running.runtime import Runtime
from flowmill.running.success_times import TimesError, TimesUnreachable, document, later, start_in

HELD_AT_MOST = 20.0
"""Seconds after which a lock is free whoever has it."""
WRITTEN_WITHIN = 10.0
"""Seconds of those in which its holder may still begin to write."""
WAITED_AT_MOST = 90.0
LOOKED_EVERY = 0.2
_PREFIX = "flowmill-last-success"


def variable_of(name: str) -> str:
    """The name of the variable, and of the lock, for `<project>.<flow>.<environment>`.

    Prefect allows only what our names consist of, so nothing is left to stand between them: the lengths of the
    first two come first. With them the name can be taken apart again, so no two flows or environments share one.
    It has at most 219 characters of Prefect's 255.
    """
    project, flow, environment = name.split(".")
    return f"{_PREFIX}-{len(project)}-{len(flow)}-{project}-{flow}-{environment}"


class ServerTimes:
    """A `SuccessTimes` in variables of the Prefect server that this process uses."""

    @property
    def where(self) -> str:
        return f"on the Prefect server at {address()}"

    def read(self, name: str) -> datetime | None:
        with _client() as client:
            return _read(client, name)

    def advance(self, name: str, start: datetime) -> None:
        with _client() as client, _lock(client, name) as lock:
            kept = _read(client, name)
            if later(kept, start) != kept:
                _write(client, name, start, lock)

    def set(self, name: str, start: datetime) -> None:
        with _client() as client, _lock(client, name) as lock:
            _write(client, name, start, lock)

    def reset(self, name: str) -> None:
        with _client() as client, _lock(client, name), suppress(ObjectNotFound):
            client.delete_variable_by_name(variable_of(name))


def with_server_times(runtime: Runtime) -> Runtime:
    """The runtime with its times on the server instead of on this machine."""
    return replace(runtime, successes=ServerTimes())


def configured_server() -> ServerTimes:
    """The store of the server that Prefect's settings name.

    Raises:
        TimesError: they name none; Prefect would start one of its own, which keeps nothing of the real one.
    """
    if not get_current_settings().api.url:
        raise TimesError("no Prefect server is configured: set PREFECT_API_URL")
    return ServerTimes()


@contextmanager
def _client() -> Iterator[SyncPrefectClient]:
    """A client whose failures are a user's words."""
    try:
        with get_client(sync_client=True) as client:
            yield client
    except httpx.HTTPStatusError as error:
        raise TimesUnreachable(f"the Prefect server at {address()} answers {error.response.status_code}") from None
    except (httpx.HTTPError, PrefectException, RuntimeError) as error:
        # Prefect raises a RuntimeError where its embedded server does not start, or has a version that does not fit.
        raise TimesUnreachable(f"the Prefect server at {address()} cannot be asked ({type(error).__name__})") from None


def _read(client: SyncPrefectClient, name: str) -> datetime | None:
    variable = client.read_variable_by_name(variable_of(name))
    return _start_in(variable) if variable else None


def _start_in(variable: Variable) -> datetime:
    try:
        return start_in(variable.value)
    except ValueError as error:
        hint = "`flowmill state set` or `flowmill state reset` writes it anew"
        raise TimesError(f"the variable `{variable.name}` cannot be used: {error}; {hint}") from None


def _write(client: SyncPrefectClient, name: str, start: datetime, lock: "_Lock") -> None:
    lock.check()
    variable, value = variable_of(name), document(start)
    try:
        client.update_variable(VariableUpdate(name=variable, value=value))
    except httpx.HTTPStatusError as error:
        if error.response.status_code != httpx.codes.NOT_FOUND:
            raise
        client.create_variable(VariableCreate(name=variable, value=value, tags=["flowmill"]))


@dataclass(frozen=True)
class _Lock:
    """A lock that is held, since at least `asked`."""

    asked: float

    def check(self) -> None:
        """
        Raises:
            TimesError: it was taken so long ago that another could have it soon.
        """
        if self._held > WRITTEN_WITHIN:
            raise TimesError(f"the Prefect server at {address()} is too slow to write safely")

    def release(self, client: SyncPrefectClient, limit: str) -> None:
        """Give it back, unless it may be another's by now; where that fails it comes free by itself."""
        if self._held < HELD_AT_MOST:
            with suppress(httpx.HTTPError):
                client.release_concurrency_slots([limit], 1, self._held)

    @property
    def _held(self) -> float:
        return time.monotonic() - self.asked


@contextmanager
def _lock(client: SyncPrefectClient, name: str) -> Iterator[_Lock]:
    """Hold the lock of a flow in an environment; only for two or three requests."""
    limit = variable_of(name)
    deadline = time.monotonic() + WAITED_AT_MOST
    while True:
        lock = _Lock(time.monotonic())
        if _take(client, limit):
            break
        if time.monotonic() > deadline:
            raise TimesError(f"the concurrency limit `{limit}` of the Prefect server stayed taken")
        time.sleep(LOOKED_EVERY)
    try:
        yield lock
    finally:
        lock.release(client, limit)


def _take(client: SyncPrefectClient, limit: str) -> bool:
    """Take the slot if it is free. Only looked at before: trying in vain would start its decay anew."""
    try:
        if client.read_global_concurrency_limit_by_name(limit).active_slots:
            return False
    except ObjectNotFound:
        made = GlobalConcurrencyLimitCreate(name=limit, limit=1, slot_decay_per_second=1 / HELD_AT_MOST)
        with suppress(ObjectAlreadyExists):
            client.create_global_concurrency_limit(made)
    try:
        taken = client.increment_concurrency_slots([limit], 1, "concurrency")
    except httpx.HTTPStatusError as error:
        if error.response.status_code == httpx.codes.LOCKED:
            return False
        raise
    return bool(taken.json())  # nothing where the limit has been deleted in between
