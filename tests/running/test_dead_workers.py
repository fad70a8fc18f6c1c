"""Somebody has killed a worker, a run or a command: nothing stays Running for ever, and nothing goes on by itself."""

import contextlib
import os
import secrets
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from docker.models.containers import Container
from prefect.client.schemas.objects import StateType
from prefect.states import Cancelling

import support.engine
from flowmill_tasks import owner
from support.engine import IMAGE, Engine
from support.flowmill_worker import FlowmillWorker, flow_process, flowmill_worker
from support.flows import FLOWMILL, flowmill, run_id, script, write_job
from support.prefect_server import PrefectServer
from support.waiting import PATIENCE, eventually
from support.worker import Deployed, deploy, work_pool

pytestmark = pytest.mark.prefect
engine = support.engine.engine
needs_docker = pytest.mark.docker

SLEEPING = {"id": "work", "type": "docker", "image": IMAGE, "pull": "never", "command": ["sleep", "600"]}


def containers(engine: Engine, run: UUID) -> list[Container]:
    return engine.client.containers.list(all=True, ignore_removed=True, filters={"label": f"flowmill.run={run}"})


@dataclass
class Scene:
    """A pool, a flow in it and a worker, with a run whose step goes on for ten minutes."""

    deployed: Deployed
    worker: FlowmillWorker
    folder: Path
    run: UUID

    def state(self) -> Any:
        return self.deployed.state(self.run)

    def ended(self, seconds: float = PATIENCE) -> Any:
        return self.deployed.ended(self.run, seconds)


@contextmanager
def scene(server: PrefectServer, folder: Path, step: dict[str, Any], **keys: Any) -> Iterator[Scene]:
    spec = write_job(folder, step, **keys)
    with work_pool(server, "etl-01"):
        deployed = deploy(server, spec)
        with flowmill_worker(folder, "etl-01", "staging") as worker:
            run = deployed.run_by_hand()
            eventually(lambda: deployed.state(run).is_running())
            yield Scene(deployed, worker, folder, run)


@contextmanager
def with_container(server: PrefectServer, folder: Path, engine: Engine) -> Iterator[Scene]:
    with scene(server, folder, SLEEPING) as it:
        eventually(lambda: [found for found in containers(engine, it.run) if found.status == "running"])
        yield it


@needs_docker
def test_x19_the_container_of_a_killed_flow_process(
    prefect_server: PrefectServer, tmp_path: Path, engine: Engine
) -> None:
    """The worker notices; another run's container, whose process lives, stays."""
    with with_container(prefect_server, tmp_path, engine) as it:
        other = it.deployed.run_by_hand()
        eventually(lambda: containers(engine, other))
        os.kill(flow_process(it.run), signal.SIGKILL)
        assert it.ended().is_crashed()
        eventually(lambda: containers(engine, it.run) == [])
        assert [found.status for found in containers(engine, other)] == ["running"]
        it.worker.stop()
    assert containers(engine, other) == []


@needs_docker
def test_x19_the_container_of_a_killed_worker(prefect_server: PrefectServer, tmp_path: Path, engine: Engine) -> None:
    """The next worker of the machine ends the run that goes on alone, and removes what is left of it."""
    with with_container(prefect_server, tmp_path, engine) as it:
        it.worker.kill()
        with flowmill_worker(tmp_path, "etl-01", "staging") as next_one:
            eventually(lambda: containers(engine, it.run) == [])
            assert it.ended().is_crashed()
            assert f"ending run {it.run}, whose worker is gone" in next_one.text()


@needs_docker
def test_x19_the_container_of_a_killed_flowmill_run(
    prefect_server: PrefectServer, tmp_path: Path, engine: Engine
) -> None:
    """The next `flowmill run` with a container removes it, and leaves alone what is not its machine's or lives."""
    spec = write_job(tmp_path / "killed", SLEEPING)
    output = tmp_path / "output.txt"
    with output.open("wb") as file:
        process = subprocess.Popen([FLOWMILL, "run", str(spec)], cwd=spec.parent, stdout=file, start_new_session=True)
    eventually(lambda: ", run " in output.read_text())
    killed = run_id(output.read_text())
    eventually(lambda: [it for it in containers(engine, killed) if it.status == "running"])
    process.kill()
    process.wait()
    others = [{**owner.labels(), owner.HOST: "elsewhere", owner.OWNER: "1.1.x/y"}, owner.labels()]
    key = {"flowmill.key": engine.key}
    for labels in others:
        engine.client.containers.run(IMAGE, ["sleep", "600"], detach=True, init=True, labels={**labels, **key})
    finished = flowmill("run", write_job(tmp_path / "next", {**SLEEPING, "command": ["true"]}), cwd=tmp_path)
    assert finished.returncode == 0, finished.stdout
    assert f"whose process is gone (run {killed})" in finished.stdout
    assert containers(engine, killed) == []
    assert [it.status for it in engine.containers()] == ["running"] * 2


@needs_docker
def test_x20_a_run_that_is_cancelled_during_a_container(
    prefect_server: PrefectServer, tmp_path: Path, engine: Engine
) -> None:
    with with_container(prefect_server, tmp_path, engine) as it:
        with prefect_server.client() as client:
            client.set_flow_run_state(it.run, Cancelling())
        eventually(lambda: containers(engine, it.run) == [])
        assert it.ended().type is StateType.CANCELLED


def test_x31_a_killed_flow_process_with_a_living_grandchild(prefect_server: PrefectServer, tmp_path: Path) -> None:
    mark = f"6{secrets.randbelow(10**6):06}.{secrets.randbelow(10**6):06}"
    with scene(prefect_server, tmp_path, script("work", "bash -c 'sleep $0 & sleep $0' $1", args=[mark])) as it:
        eventually(lambda: len(living(mark)) >= 3)
        os.kill(flow_process(it.run), signal.SIGKILL)
        state = it.ended()
        assert state.is_crashed()
        eventually(lambda: not living(mark))
        assert it.worker.process.poll() is None


def living(mark: str) -> list[int]:
    """The ids of the processes that have the mark in their command line."""
    found = []
    for place in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if place.name.isdecimal() and mark.encode() in (place / "cmdline").read_bytes():
                found.append(int(place.name))
    return found


def test_a_cancelled_run_whose_process_is_gone_is_cancelled(prefect_server: PrefectServer, tmp_path: Path) -> None:
    """It was about to be cancelled when everything was killed; the next worker says that it is."""
    with scene(prefect_server, tmp_path, script("work", "sleep 600")) as it:
        process = flow_process(it.run)
        it.worker.kill()
        with prefect_server.client() as client:
            client.set_flow_run_state(it.run, Cancelling())
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
        with flowmill_worker(tmp_path, "etl-01", "staging"):
            state = it.ended()
    assert (state.type, state.message) == (StateType.CANCELLED, "cancelled: its process is gone")
