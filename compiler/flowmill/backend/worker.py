"""A worker for one server in one environment: what it needs of the Prefect server, and how it is started."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterName,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import Worker, WorkerStatus
from prefect.client.schemas.responses import DeploymentResponse
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound, PrefectException
from prefect.settings import get_current_settings

from flowmill.backend.address import address
from flowmill.backend.dead_runs import DeadRuns
from flowmill.backend.supervision import supervise
from flowmill.local.worker_names import NameTaken, WorkerNames
from flowmill.suggest import did_you_mean

_PAGE = 200
_HEARD_FOR = 60
"""Seconds by which a worker may be heard of after it was last seen alive here: it tells the server every 30 s."""


class WorkerRefused(Exception):
    """The worker cannot be started; the message says why and what to do."""


@dataclass(frozen=True)
class Wanted:
    """The worker that is asked for.

    Attributes:
        queues: the queues of the environment, and how many runs at once each allows (None for any number); None
            where they have to be asked for.
        limit: how many runs at once; None for as many as come.
    """

    server: str
    environment: str
    name: str
    queues: Mapping[str, int | None] | None = None
    limit: int | None = None


def run_worker(wanted: Wanted, tell: Callable[[str], None]) -> bool:
    """Be the worker until it is told to stop (SIGTERM, SIGINT); whether it was.

    Args:
        tell: gets what happens, a line at a time.

    Raises:
        WorkerRefused: it cannot be started.
    """
    if not get_current_settings().api.url:
        raise WorkerRefused("no Prefect server is configured: set PREFECT_API_URL")
    names = WorkerNames(address(), wanted.server)
    with ExitStack() as stack:
        with _refusing():
            client = stack.enter_context(get_client(sync_client=True))
            queues = _queues(client, wanted)
            _check_name(client, names, wanted)
            lock = stack.enter_context(names.held(wanted.name))
        tell(f"worker `{wanted.name}` for {wanted.server} in {wanted.environment}: looks into {', '.join(queues)}")
        dead_runs = DeadRuns(client, names, wanted.name, queues, tell)
        return supervise(_command(wanted, queues), lock, dead_runs, tell)


@contextmanager
def _refusing() -> Iterator[None]:
    """What fails before the start, in a user's words."""
    try:
        yield
    except NameTaken as taken:
        hint = "give this one another with --name, or stop that one"
        raise WorkerRefused(f"a worker `{taken}` runs on this machine; {hint}") from None
    except httpx.HTTPStatusError as error:
        raise WorkerRefused(f"the Prefect server at {address()} answers {error.response.status_code}") from None
    except (httpx.HTTPError, PrefectException, RuntimeError) as error:
        raise WorkerRefused(f"the Prefect server at {address()} cannot be asked ({type(error).__name__})") from None
    except OSError as error:
        raise WorkerRefused(f"this machine's workers cannot be written down: {error}") from None


def _queues(client: SyncPrefectClient, wanted: Wanted) -> list[str]:
    """The queues to look into; `prefect worker start` would make a pool that is missing, and wait in it for ever."""
    try:
        pool = client.read_work_pool(wanted.server)
    except ObjectNotFound:
        raise _no_pool(client, wanted.server) from None
    if pool.type != "process":
        raise WorkerRefused(
            f"the work pool `{pool.name}` is of type `{pool.type}`; a worker needs one of type `process`"
        )
    queues = wanted.queues if wanted.queues is not None else dict.fromkeys(_asked_for(client, wanted))
    _make_missing(client, wanted.server, queues)
    return list(queues)


def _make_missing(client: SyncPrefectClient, pool: str, queues: Mapping[str, int | None]) -> None:
    """Make queues that are not there: who names one of those gets no run of the others either, without a word."""
    there = {queue.name for queue in client.read_work_queues(work_pool_name=pool, limit=_PAGE)}
    for name, limit in queues.items():
        if name not in there:
            with suppress(ObjectAlreadyExists):  # another worker was quicker
                client.create_work_queue(name, concurrency_limit=limit, work_pool_name=pool)


def _no_pool(client: SyncPrefectClient, name: str) -> WorkerRefused:
    pools = [pool.name for pool in client.read_work_pools(limit=_PAGE) if pool.type == "process"]
    there = f"there are: {', '.join(sorted(pools))}" if pools else "there is none"
    hint = did_you_mean(name, pools) if pools else ""
    question = f" {hint}" if hint.startswith("did you mean") else ""
    make = "`flowmill register --create` makes the pools of a workspace"
    return WorkerRefused(f"the Prefect server has no work pool `{name}`; {there}.{question} {make}")


def _asked_for(client: SyncPrefectClient, wanted: Wanted) -> list[str]:
    """The environment's queue, and those that hold a deployment of it: `a-b` may be an environment of its own."""
    further = {it.work_queue_name for it in _deployments(client, wanted) if it.work_queue_name}
    beginning = f"{wanted.environment}-"
    return [wanted.environment, *sorted(name for name in further if name.startswith(beginning))]


def _deployments(client: SyncPrefectClient, wanted: Wanted) -> Iterator[DeploymentResponse]:
    offset = 0
    while found := client.read_deployments(
        deployment_filter=DeploymentFilter(name=DeploymentFilterName(any_=[wanted.environment])),
        work_pool_filter=WorkPoolFilter(name=WorkPoolFilterName(any_=[wanted.server])),
        limit=_PAGE,
        offset=offset,
    ):
        yield from found
        offset += len(found)


def _check_name(client: SyncPrefectClient, names: WorkerNames, wanted: Wanted) -> None:
    """Two machines must not have one name: what one of them runs would look dead to the other."""
    for worker in client.read_workers_for_work_pool(wanted.server):
        if worker.name == wanted.name and worker.status is WorkerStatus.ONLINE and _is_elsewhere(worker, names):
            hint = "give this one another with --name; if that one is gone, Prefect forgets it within two minutes"
            raise WorkerRefused(f"a worker `{wanted.name}` lives on another machine; {hint}")


def _is_elsewhere(worker: Worker, names: WorkerNames) -> bool:
    here, heard = names.last_alive(worker.name), worker.last_heartbeat_time
    return heard is not None and (here is None or heard.timestamp() > here + _HEARD_FOR)


def _command(wanted: Wanted, queues: Sequence[str]) -> list[str]:
    options = ["--type", "process", "--pool", wanted.server, "--name", wanted.name, "--no-create-pool-if-not-found"]
    limit = [] if wanted.limit is None else ["--limit", str(wanted.limit)]
    named = [word for queue in queues for word in ("--work-queue", queue)]
    return [sys.executable, "-m", "prefect", "worker", "start", *options, *limit, *named]
