"""Runs whose process on this machine is gone get a state that says so; runs that were taken and never started go back.

Prefect keeps of a run the name of the worker that took it and the id of its process, but no machine. Which names are
this machine's own is written down here (`WorkerNames`), so runs of other machines are never touched.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
    WorkPoolFilter,
    WorkPoolFilterName,
    WorkQueueFilter,
    WorkQueueFilterName,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.objects import State as PrefectState
from prefect.client.schemas.responses import SetStateStatus
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled, Crashed, Scheduled

from flowmill.local.worker_names import WorkerNames
from flowmill.running.processes import can_be_told, processes_of_runs

GONE = "its process is gone"
UNTOUCHED_FOR = 60.0
"""Seconds in which nothing may have happened to a run that was taken before it is put back: a worker that lives
has reported its process long before."""
_OPEN = [StateType.RUNNING, StateType.PENDING, StateType.CANCELLING]
_PAGE = 200


@dataclass
class DeadRuns:
    """Looks for them, again and again: how long a run has stood still is counted by this machine's own clock.

    Attributes:
        name: the worker that looks; made while it is not yet started, so what it has taken is left from before.
        queues: the queues of the pool that are looked into.
        tell: what is done about a run, as a line for the worker's log.
    """

    client: SyncPrefectClient
    names: WorkerNames
    name: str
    queues: list[str]
    tell: Callable[[str], None]
    _seen: dict[UUID, float] = field(default_factory=dict)
    _left: frozenset[UUID] = frozenset()

    def remember(self) -> None:
        """Note what the worker's name has from before, as long as the worker is not started."""
        self._left = frozenset(run.state_id for run in self._open_runs() if _worker(run) == self.name and run.state_id)

    def abandoned(self, ended: bool = False) -> set[str]:
        """The ids of runs that still have a process here, although their worker on this machine is gone.

        Args:
            ended: our own worker is gone as well.
        """
        living = processes_of_runs()
        return {str(run.id) for run in self._open_runs() if str(run.id) in living and self._is_abandoned(run, ended)}

    def bury(self, ended: bool = False) -> int:
        """Give runs whose process is gone another state; how many there were.

        Args:
            ended: our own worker is gone, so that what it took cannot start any more.
        """
        if not can_be_told():
            return 0
        found, now = list(self._open_runs()), time.monotonic()
        self._seen = {run.state_id: self._seen.get(run.state_id, now) for run in found if run.state_id}
        living = processes_of_runs().keys()  # after the runs: one that is Running by then has a process
        return sum(self._judge(run, ended) for run in found if str(run.id) not in living)

    def _open_runs(self) -> Iterator[FlowRun]:
        offset = 0
        while page := self.client.read_flow_runs(
            flow_run_filter=FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=_OPEN))),
            work_pool_filter=WorkPoolFilter(name=WorkPoolFilterName(any_=[self.names.pool])),
            work_queue_filter=WorkQueueFilter(name=WorkQueueFilterName(any_=self.queues)),
            limit=_PAGE,
            offset=offset,
        ):
            yield from page
            offset += len(page)
            if len(page) < _PAGE:
                return

    def _is_abandoned(self, run: FlowRun, ended: bool) -> bool:
        """Whether the run was taken by a worker of this machine that is gone."""
        worker = _worker(run)
        if worker == self.name:
            return ended or run.state_id in self._left
        return worker in self.names.dead()

    def _judge(self, run: FlowRun, ended: bool) -> bool:
        """What becomes of a run that has no process here; whether it got another state."""
        worker, state = _worker(run), run.state
        if state is None:
            return False
        if state.type is StateType.PENDING:
            just_now = ended and worker == self.name
            # Without a name it was taken by a worker, of any machine, that had no time to say which.
            nobodys = worker is None or self._is_abandoned(run, ended)
            if just_now or (nobodys and self._stood_still(run)):
                return self._put(run, Scheduled(message="scheduled again: the worker that took it did not start it"))
        elif worker in self.names.all():
            cancelled = state.type is StateType.CANCELLING
            return self._put(run, Cancelled(message=f"cancelled: {GONE}") if cancelled else Crashed(message=GONE))
        return False

    def _stood_still(self, run: FlowRun) -> bool:
        first = self._seen.get(run.state_id) if run.state_id else None
        return first is not None and time.monotonic() - first >= UNTOUCHED_FOR

    def _put(self, run: FlowRun, state: "PrefectState[None]") -> bool:
        """Give a run a state, unless it has got another one meanwhile: from its own process, or from a person."""
        try:
            if self.client.read_flow_run(run.id).state_id != run.state_id:
                return False
            answer = self.client.set_flow_run_state(run.id, state)
        except ObjectNotFound:  # deleted meanwhile
            return False
        if answer.status is not SetStateStatus.ACCEPT:
            return False
        self.tell(f"run `{run.name}` ({run.id}) was {run.state_name} and is now {state.name}: {state.message}")
        return True


def _worker(run: FlowRun) -> str | None:
    """The name of the worker that took a run."""
    name = run.labels.get("prefect.worker.name")
    return str(name) if name else None
