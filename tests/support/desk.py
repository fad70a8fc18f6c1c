"""A folder of specs and the command in it, on a Prefect server behind a proxy that counts what is written."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prefect.client.schemas.actions import DeploymentScheduleUpdate
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    DeploymentFilterName,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import StateType
from prefect.client.schemas.responses import DeploymentResponse

from support.flows import Finished, flowmill, flowmill_here, script, write_workspace
from support.prefect_server import PrefectServer
from support.proxy import ALWAYS, Proxy

STAGING = {"staging": {"ref": "main", "storage": "local"}}
JOB = {"project": "demo", "environment": "staging", "server": "etl-01", "steps": [script("work")]}

ON_SQLITE = pytest.mark.parametrize("server", ["prefect_server"], ids=["sqlite"], indirect=True)
"""For a test of the fixtures of `tests/registering` that says nothing about the database."""
ON_POSTGRESQL = pytest.mark.parametrize("server", ["postgres_server"], ids=["postgresql"], indirect=True)
"""For one that is about that database alone."""


class Desk:
    """A folder of specs, and the command in it."""

    def __init__(self, folder: Path, proxy: Proxy, server: PrefectServer) -> None:
        self.folder, self.proxy, self.server = folder, proxy, server

    def write(self, workspace: dict[str, Any] | None = None, **flows: dict[str, Any]) -> None:
        settings = {"name": self.folder.name.replace("_", "-"), "environments": STAGING, "servers": {"etl-01": {}}}
        files = {f"demo/{name.replace('_', '-')}.yaml": {**JOB, **keys} for name, keys in flows.items()}
        for old in self.folder.glob("demo/*.yaml"):
            old.unlink()
        write_workspace(self.folder, files, {**settings, **(workspace or {})})

    def run(self, verb: str, *options: str) -> Finished:
        """The command within this process."""
        return flowmill_here(verb, "--env", "staging", *options, cwd=self.folder, api_url=self.proxy.api_url)

    def run_apart(self, verb: str, *options: str) -> Finished:
        """The command in a process of its own."""
        return flowmill(verb, "--env", "staging", *options, cwd=self.folder, PREFECT_API_URL=self.proxy.api_url)

    def register(self, *options: str) -> Finished:
        ran = self.run("register", "--create", *options)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran

    def after_write(self, number: int, then: Callable[[], Any]) -> None:
        """Do something once the server has carried out so many writes from now on; the client knows nothing of it."""
        before = len(self.proxy.writes)

        def count() -> None:
            if len(self.proxy.writes) - before == number:
                then()

        self.proxy.rule(times=ALWAYS, after=count)

    def writes(self, verb: str, *options: str) -> list[tuple[str, str]]:
        """What a command writes on the server."""
        before = len(self.proxy.writes)
        self.run(verb, *options)
        return [(it.method, it.path) for it in self.proxy.writes[before:]]

    def there(self) -> dict[str, DeploymentResponse]:
        """The deployments of this folder on the server, by the names of their flows."""
        name = DeploymentFilter(name=DeploymentFilterName(any_=["staging"]))
        with self.server.client() as client:
            found = client.read_deployments(deployment_filter=name, limit=200)
        mine = self.folder.name.replace("_", "-")
        return {str(it.labels["flowmill.flow"]): it for it in found if it.labels.get("flowmill.workspace") == mine}

    def runs(self, deployment: UUID, *states: StateType) -> list[Any]:
        of = DeploymentFilter(id=DeploymentFilterId(any_=[deployment]))
        state = (
            FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=list(states)))) if states else None
        )
        with self.server.client() as client:
            return client.read_flow_runs(deployment_filter=of, flow_run_filter=state, limit=200)

    def due(self, deployment: UUID) -> Counter[datetime]:
        """How many runs there are for each time at which one was or is due."""
        return Counter(it.expected_start_time.astimezone(UTC) for it in self.runs(deployment))

    def switch(self, flow: str, *, on: bool) -> None:
        """What the switch of a schedule in Prefect's UI does."""
        deployment = self.there()[flow]
        with self.server.client() as client:
            for schedule in deployment.schedules:
                body = DeploymentScheduleUpdate(active=on).model_dump(mode="json", exclude_unset=True)
                client.request("PATCH", f"/deployments/{deployment.id}/schedules/{schedule.id}", json=body)


@contextmanager
def desk_in(parent: Path, proxy: Proxy, server: PrefectServer) -> Iterator[Desk]:
    """A desk of a name that no other has; its deployments go with it."""
    folder = parent / f"ws{os.urandom(4).hex()}"
    folder.mkdir()
    desk = Desk(folder, proxy, server)
    yield desk
    with server.client() as client:
        for it in desk.there().values():
            client.delete_deployment(it.id)
