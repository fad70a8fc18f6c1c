"""`flowmill worker`: what it refuses to start with, what it takes, and how it stops."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from support.flowmill_worker import FlowmillWorker, flow_process, flowmill_worker
from support.flows import flowmill, script, write_job, write_workspace
from support.prefect_server import PrefectServer
from support.waiting import LEEWAY, PATIENCE, eventually
from support.worker import Deployed, deploy, work_pool

pytestmark = pytest.mark.prefect

WORKSPACE = {
    "environments": {"staging": {"ref": "main"}, "production": {"ref": "production"}},
    "servers": {
        "etl-01": {"queues": {"one-at-a-time": {"concurrency": 1}}},
        "etl-02": {"environments": ["production"]},
    },
}
NOBODY = {"PREFECT_API_URL": "http://127.0.0.1:9/api"}
"""A server that is not there: what is wrong with the names is found before it is asked."""

REFUSED = [
    pytest.param("etl-1", "staging", "there is no server `etl-1`; did you mean `etl-01`?", id="server"),
    pytest.param("etl-01", "stagin", "there is no environment `stagin`; did you mean `staging`?", id="environment"),
    pytest.param("etl-02", "staging", "server `etl-02` does not serve the environment `staging`", id="not served"),
]


@pytest.mark.parametrize(("server", "environment", "message"), REFUSED)
def test_names_that_flowmill_yaml_does_not_know(tmp_path: Path, server: str, environment: str, message: str) -> None:
    write_workspace(tmp_path, {}, WORKSPACE)
    finished = flowmill("worker", "--server", server, "--env", environment, cwd=tmp_path, **NOBODY)
    assert finished.returncode == 2
    assert message in finished.stderr


def test_without_a_workspace_only_the_form_of_names_is_looked_at(tmp_path: Path) -> None:
    options = ["worker", "--server", "etl-01", "--env"]
    lost = flowmill(*options, "staging", cwd=tmp_path, **NOBODY)
    assert (lost.returncode, "--no-workspace does without" in lost.stderr) == (2, True)
    shouted = flowmill(*options, "STAGING", "--no-workspace", cwd=tmp_path, **NOBODY)
    assert (shouted.returncode, "`STAGING` is not a name" in shouted.stderr) == (2, True)
    asked = flowmill(*options, "staging", "--no-workspace", cwd=tmp_path, **NOBODY)
    assert asked.returncode == 1
    assert "the Prefect server at http://127.0.0.1:9/api cannot be asked" in asked.stderr


def test_a_server_that_nobody_has_named_is_not_replaced_by_one_of_its_own(tmp_path: Path) -> None:
    finished = flowmill(
        "worker", "--server", "etl-01", "--env", "staging", "--no-workspace", cwd=tmp_path, PREFECT_API_URL=""
    )
    assert finished.returncode == 1
    assert "no Prefect server is configured: set PREFECT_API_URL" in finished.stderr


def test_a_pool_that_is_missing_is_not_made(prefect_server: PrefectServer, tmp_path: Path) -> None:
    write_workspace(tmp_path, {}, WORKSPACE)
    with work_pool(prefect_server, "etl-02"):
        finished = flowmill("worker", "--server", "etl-01", "--env", "staging", cwd=tmp_path)
        with prefect_server.client() as client:
            pools = [pool.name for pool in client.read_work_pools()]
    assert finished.returncode == 1
    assert "no work pool `etl-01`; there are: etl-02. did you mean `etl-02`?" in finished.stderr
    assert "`flowmill register --create`" in finished.stderr
    assert "etl-01" not in pools


def deployments(server: PrefectServer, folder: Path) -> dict[str, Deployed]:
    """One flow for each of two environments, two queues and two servers."""
    both = {"steps": [script("work")], "environment": ["staging", "production"], "project": "demo", "server": "etl-01"}
    flows: dict[str, Any] = {
        "demo/plain.yaml": both,
        "demo/queued.yaml": {**both, "queue": "one-at-a-time"},
        "demo/elsewhere.yaml": {**both, "server": "etl-02", "environment": ["production"]},
    }
    write_workspace(folder, flows, WORKSPACE)
    wanted = [("plain", "staging"), ("plain", "production"), ("queued", "staging"), ("elsewhere", "production")]
    return {f"{flow} {name}": deploy(server, folder / f"demo/{flow}.yaml", name) for flow, name in wanted}


@pytest.mark.parametrize("options", [pytest.param([], id="workspace"), pytest.param(["--no-workspace"], id="asked")])
def test_runs_of_other_servers_and_environments_are_never_taken(
    prefect_server: PrefectServer, tmp_path: Path, options: list[str]
) -> None:
    with work_pool(prefect_server, "etl-01"), work_pool(prefect_server, "etl-02"):
        deployed = deployments(prefect_server, tmp_path)
        others = [deployed[name].run_by_hand() for name in ("plain production", "elsewhere production")]
        with flowmill_worker(tmp_path, "etl-01", "staging", *options) as worker:
            mine = [deployed[name].run_by_hand() for name in ("plain staging", "queued staging")]
            assert [deployed["plain staging"].ended(run).name for run in mine] == ["Completed"] * 2
            assert worker.stop()[0] == 0
        states = [deployed["plain staging"].state(run) for run in others]
    assert [state.is_scheduled() for state in states] == [True, True]
    assert "looks into staging, staging-one-at-a-time\n" in worker.text()


def test_a_queue_that_is_missing_is_made_and_holds_up_no_run(prefect_server: PrefectServer, tmp_path: Path) -> None:
    flow = {"project": "demo", "environment": "staging", "server": "etl-01", "steps": [script("work")]}
    write_workspace(tmp_path, {"demo/plain.yaml": flow}, WORKSPACE)
    with work_pool(prefect_server, "etl-01"):
        deployed = deploy(prefect_server, tmp_path / "demo/plain.yaml")
        with flowmill_worker(tmp_path, "etl-01", "staging", "--name", f"{tmp_path.name}-queues".replace("_", "-")):
            assert deployed.ended(deployed.run_by_hand()).name == "Completed"
        with prefect_server.client() as client:
            limits = {it.name: it.concurrency_limit for it in client.read_work_queues(work_pool_name="etl-01")}
    assert limits == {"default": None, "staging": None, "staging-one-at-a-time": 1}


def test_two_workers_of_one_machine_have_two_names(prefect_server: PrefectServer, tmp_path: Path) -> None:
    write_workspace(tmp_path, {}, WORKSPACE)
    arguments = ["worker", "--server", "etl-01", "--env", "staging", "--name", "night"]
    with (
        work_pool(prefect_server, "etl-01"),
        flowmill_worker(tmp_path, "etl-01", "staging", "--name", "night") as worker,
    ):
        worker.started()
        same = flowmill(*arguments, cwd=tmp_path, XDG_CACHE_HOME=str(tmp_path / "cache"))
        elsewhere = flowmill(*arguments, cwd=tmp_path, XDG_CACHE_HOME=str(tmp_path / "of another machine"))
    assert (same.returncode, elsewhere.returncode) == (1, 1)
    assert "a worker `night` runs on this machine; give this one another with --name" in same.stderr
    assert "a worker `night` lives on another machine; give this one another with --name" in elsewhere.stderr


@contextmanager
def busy_worker(server: PrefectServer, folder: Path) -> Iterator[tuple[FlowmillWorker, Deployed, UUID]]:
    """A worker, a deployment, and a run of it that goes on for minutes."""
    spec = write_job(folder, script("work", "sleep 600"))
    with work_pool(server, "etl-01"):
        deployed = deploy(server, spec)
        with flowmill_worker(folder, "etl-01", "staging") as worker:
            run = deployed.run_by_hand()
            eventually(lambda: deployed.state(run).is_running())
            yield worker, deployed, run


def test_x33_what_runs_when_the_worker_is_stopped_is_crashed_at_once(
    prefect_server: PrefectServer, tmp_path: Path
) -> None:
    with busy_worker(prefect_server, tmp_path) as (worker, deployed, run):
        process = flow_process(run)
        code, seconds = worker.stop()
        state = deployed.state(run)
    assert (code, state.name, state.message) == (0, "Crashed", "its process is gone")
    assert seconds < 20 + LEEWAY
    assert not Path(f"/proc/{process}").exists()
    assert "SIGTERM: stopping the worker and its runs" in worker.text()


def test_a_worker_below_that_ends_by_itself_takes_its_runs_along(prefect_server: PrefectServer, tmp_path: Path) -> None:
    with busy_worker(prefect_server, tmp_path) as (worker, deployed, run):
        os.kill(worker.prefects_own(), 9)
        assert worker.process.wait(PATIENCE) == 1
        state = deployed.state(run)
    assert state.is_crashed()
    assert "the worker ended by itself, with exit code -9" in worker.text()
