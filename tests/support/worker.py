"""Flows as deployments of a real server, and a real worker of type `process` that runs them."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.sorting import FlowRunSort

from flowmill.local.select import plan_of
from flowmill.planning.plan import Plan
from flowmill.registering.body import Code, deployment_body, queue_name
from support.prefect_server import PrefectServer
from support.unmeasured import unmeasured
from support.waiting import PATIENCE, eventually

STOP_WITHIN = 20
_LOG = {"PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "INFO"}


@dataclass(frozen=True)
class Deployed:
    """A flow in one environment as the server knows it."""

    server: PrefectServer
    plan: Plan
    id: UUID

    def read(self) -> DeploymentResponse:
        with self.server.client() as client:
            return client.read_deployment(self.id)

    def run_by_hand(self, **parameters: Any) -> UUID:
        """What the button `Run` of Prefect's UI does."""
        with self.server.client() as client:
            return client.create_flow_run_from_deployment(self.id, parameters=parameters).id

    def schedule(self, start: datetime, end: datetime) -> list[FlowRun]:
        """Let the server make the runs of its schedules between two moments, and read those that wait.

        A deployment of this name in an earlier test had runs in that time, too.
        """
        body = {"start_time": start.isoformat(), "end_time": end.isoformat(), "min_runs": 100, "max_runs": 100}
        with self.server.client() as client:  # which asks again when the database is busy
            client.request("POST", "/deployments/{id}/schedule", path_params={"id": self.id}, json=body)
        waiting = [run for run in self.runs() if run.state and run.state.is_scheduled()]
        return [run for run in waiting if run.expected_start_time and start <= run.expected_start_time <= end]

    def runs(self) -> list[FlowRun]:
        """Every run that there is of it, those of the future too, in the order in which they are due."""
        mine = DeploymentFilter(id=DeploymentFilterId(any_=[self.id]))
        with self.server.client() as client:
            return client.read_flow_runs(deployment_filter=mine, sort=FlowRunSort.EXPECTED_START_TIME_ASC, limit=200)

    def state(self, run: UUID) -> Any:
        with self.server.client() as client:
            return client.read_flow_run(run).state

    def ended(self, run: UUID, seconds: float = PATIENCE) -> Any:
        """The final state of a run, once it has one."""
        return eventually(lambda: (state := self.state(run)) and state.is_final() and state, seconds)


def deploy(server: PrefectServer, spec: Path, environment: str = "staging") -> Deployed:
    """Put one flow on the server as `flowmill register` does, with the specs taken from their folder."""
    plan = plan_of(spec, environment)
    body = deployment_body(plan, Code(folder=str(spec.parents[1].resolve())))
    with server.client() as client:
        flow = client.create_flow_from_name(plan.name)
        made = client.request("POST", "/deployments/", json={**body, "flow_id": str(flow)})
    return Deployed(server, plan, UUID(made.json()["id"]))


@contextmanager
def work_pool(server: PrefectServer, name: str) -> Iterator[str]:
    """A pool of type `process`, which goes with everything in it, also when the test fails."""
    from prefect.client.schemas.actions import WorkPoolCreate

    with server.client() as client:
        client.create_work_pool(WorkPoolCreate(name=name, type="process"))
    try:
        yield name
    finally:
        delete_work_pool(server, name)


def delete_work_pool(server: PrefectServer, name: str) -> None:
    """Take away a pool with its queues, so that the next test of this server finds none."""
    with server.client() as client:
        client.delete_work_pool(name)


@contextmanager
def worker(deployed: Deployed, folder: Path, **environ: str) -> Iterator[Path]:
    """A worker that looks into the queue of a deployment; what it prints is in the file that comes back."""
    log = folder / "worker.log"
    options = ["--type", "process", "--pool", deployed.plan.server, "--work-queue", queue_name(deployed.plan)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "prefect", "worker", "start", *options],
            cwd=folder,
            env={**unmeasured(), "PREFECT_WORKER_QUERY_SECONDS": "1", **_LOG, **environ},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield log
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_WITHIN)
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
