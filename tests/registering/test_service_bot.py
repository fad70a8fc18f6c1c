"""The worked case of the service bot, registered: two environments from one spec, again and again, and an outage."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prefect.client.schemas.actions import DeploymentScheduleUpdate
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterExpectedStartTime,
    WorkPoolFilter,
    WorkPoolFilterName,
)
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.responses import DeploymentResponse
from prefect.states import Scheduled

from support.flowmill_worker import flowmill_worker
from support.flows import Finished, flowmill
from support.prefect_server import PrefectServer, running_server
from support.service_bot import WORKSPACE, write_bot
from support.waiting import eventually

pytestmark = pytest.mark.prefect

ENVIRONMENTS = ("staging", "production")
LOCAL = {
    **WORKSPACE,
    "name": "harbour",
    "environments": {"staging": {"ref": "main", "storage": "local"}, "production": {"ref": "p", "storage": "local"}},
}
LATE = {"concurrency: 1": "concurrency: 1\nskip_if_late: 10s"}


class Bot:
    """The bot's spec, and the server that it is registered on."""

    def __init__(self, folder: Path, server: PrefectServer) -> None:
        self.folder, self.server = folder, server
        self.write()

    def write(self, **changes: str) -> None:
        write_bot(self.folder, "harbour/bot", "never", ["true"], LOCAL, **changes)

    def run(self, environment: str, *options: str) -> Finished:
        arguments = ("register", "--env", environment, *options)
        return flowmill(*arguments, cwd=self.folder, PREFECT_API_URL=self.server.api_url)

    def register(self, environment: str) -> str:
        ran = self.run(environment, "--create")
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def there(self, environment: str) -> DeploymentResponse:
        with self.server.client() as client:
            return client.read_deployment_by_name(f"harbour.bot/{environment}")

    def switch_off(self, environment: str) -> None:
        """What the switch of the schedule in Prefect's UI does."""
        read = self.there(environment)
        body = DeploymentScheduleUpdate(active=False).model_dump(mode="json", exclude_unset=True)
        with self.server.client() as client:
            client.request("PATCH", f"/deployments/{read.id}/schedules/{read.schedules[0].id}", json=body)

    def waiting(self, **times: Any) -> list[FlowRun]:
        """The runs in the bot's pool that wait for a worker, of those that are due at some time."""
        due = FlowRunFilter(expected_start_time=FlowRunFilterExpectedStartTime(**times))
        pool = WorkPoolFilter(name=WorkPoolFilterName(any_=["quay-01"]))
        with self.server.client() as client:
            runs = client.read_flow_runs(work_pool_filter=pool, flow_run_filter=due, limit=200)
        return [run for run in runs if run.state and run.state.is_scheduled()]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrefectServer]:
    """A server of its own, on which pools may be missing."""
    with running_server(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def bot(server: PrefectServer, tmp_path: Path) -> Iterator[Bot]:
    yield Bot(tmp_path, server)
    with server.client() as client:
        for deployment in client.read_deployments():
            client.delete_deployment(deployment.id)
        for pool in client.read_work_pools():
            client.delete_work_pool(pool.name)


def test_registering_again_changes_nothing_and_says_so(bot: Bot) -> None:
    for environment in ENVIRONMENTS:
        assert "1 to create" in bot.register(environment)
    before = {name: bot.there(name) for name in ENVIRONMENTS}
    assert {name: [it.active for it in its.schedules] for name, its in before.items()} == {
        "staging": [False],
        "production": [True],
    }
    for environment in ENVIRONMENTS:
        printed = bot.register(environment)
        assert "1 unchanged" in printed
        assert "to create" not in printed
    assert {name: bot.there(name) for name in ENVIRONMENTS} == before, "the same ids, and when they were written"


def test_a_schedule_that_is_switched_off_by_hand_stays_off_and_is_told(bot: Bot) -> None:
    bot.register("production")
    assert bot.waiting() != []
    bot.switch_off("production")
    printed = bot.register("production")
    assert "schedule `schedule-1` was switched off on the server and stays off" in printed
    assert [it.active for it in bot.there("production").schedules] == [False]
    assert bot.waiting() == []
    # The spec decides again when it says something else about that switch.
    bot.write(**{"  production:\n": "  production: {paused: true}\n"})
    bot.register("production")
    bot.write()
    bot.register("production")
    assert [it.active for it in bot.there("production").schedules] == [True]


def test_a_pool_or_queue_that_is_missing_is_named_with_those_that_are_there(bot: Bot) -> None:
    with bot.server.client() as client:
        for name in ("quay-1", "pier-01"):
            client.request("POST", "/work_pools/", json={"name": name, "type": "process"})
    refused = bot.run("production")
    assert refused.returncode == 1
    assert "there is no work pool `quay-01` on the server; there are: `pier-01`, `quay-1`" in refused.stdout
    with bot.server.client() as client:
        assert client.read_deployments() == []
        client.request("POST", "/work_pools/", json={"name": "quay-01", "type": "process"})
    refused = bot.run("production")
    assert (refused.returncode, "`quay-01` has no queue `production-single-file`" in refused.stdout) == (1, True)


def test_it_is_told_whether_a_worker_looks_into_the_queue(bot: Bot) -> None:
    nobody = "no worker is looking into the queue `production-single-file` of `quay-01`"
    bot.register("production")
    assert nobody in bot.register("production")
    name = f"quay-{os.getpid()}"
    api = {"PREFECT_API_URL": bot.server.api_url}
    with flowmill_worker(bot.folder, "quay-01", "production", "--name", name, **api) as worker:
        worker.started()
        eventually(lambda: nobody not in bot.register("production"))


def test_after_an_outage_the_queue_is_as_short_as_before(bot: Bot) -> None:
    """Eight runs were due and no worker was there; by Prefect's own rule they would all run afterwards."""
    bot.write(**LATE)
    bot.register("production")
    began = datetime.now(UTC) - timedelta(minutes=24)
    id = bot.there("production").id
    with bot.server.client() as client:
        due = [Scheduled(scheduled_time=began + timedelta(minutes=3 * number)) for number in range(8)]
        make = client.create_flow_run_from_deployment
        missed = {make(id, state=state, tags=["auto-scheduled"]).id for state in due}
    assert missed <= {run.id for run in bot.waiting()}
    eventually(lambda: not missed & {run.id for run in bot.waiting()})
    to_come = bot.waiting(after_=datetime.now(UTC) + timedelta(seconds=60))
    assert to_come != [], "only what is late is taken away"
