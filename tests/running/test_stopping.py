"""Runs that are ended from outside, by Ctrl-C or by a timeout: nothing that they started goes on."""

import os
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

import support.engine
from flowmill.local.select import plan_of
from support.engine import IMAGE, Engine
from support.flows import FLOWMILL, Ran, flowmill, read_run, run_id, script, write_job
from support.prefect_server import PrefectServer
from support.waiting import LEEWAY, PATIENCE, eventually

pytestmark = pytest.mark.prefect
engine = support.engine.engine

STUBBORN = "trap '' TERM; bash -c \"trap '' TERM; sleep $1 & sleep $1\" & sleep $1"
"""A shell, its child and two grandchildren, all of which ignore TERM."""


@pytest.fixture
def mark() -> str:
    """A time to sleep that no other process sleeps for: by it the test finds its own."""
    return f"6{secrets.randbelow(10**6):06}.{secrets.randbelow(10**6):06}"


def living(mark: str) -> list[int]:
    """The ids of the processes that have the mark in their command line."""
    found = []
    for place in Path("/proc").iterdir():
        try:
            if place.name.isdecimal() and mark.encode() in (place / "cmdline").read_bytes():
                found.append(int(place.name))
        except OSError:
            continue  # it has ended meanwhile
    return found


def containers(client: docker.DockerClient, run: object) -> list[Any]:
    """What there is of a run, whether it goes on or not."""
    return client.containers.list(all=True, ignore_removed=True, filters={"label": f"flowmill.run={run}"})


class Started:
    """A run in a process group of its own, as a shell would start it."""

    def __init__(self, spec: Path) -> None:
        self.spec = spec
        self.output = spec.parent / "output.txt"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [FLOWMILL, "run", str(spec)],
                cwd=spec.parent,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def text(self) -> str:
        return self.output.read_text()

    def send(self, number: signal.Signals) -> float:
        """What a terminal does at Ctrl-C; how many seconds it took until the command was gone."""
        began = time.monotonic()
        os.killpg(self.process.pid, number)
        self.process.wait(PATIENCE)
        return time.monotonic() - began


@pytest.fixture
def start() -> "Iterator[Any]":
    """Starts a run; what is left of it is ended after the test."""
    started: list[Started] = []

    def starting(spec: Path) -> Started:
        started.append(Started(spec))
        return started[-1]

    yield starting
    for run in started:
        run.process.kill()
        run.process.wait()


@pytest.mark.parametrize(
    ("number", "code"),
    [pytest.param(signal.SIGINT, 130, id="ctrl-c"), pytest.param(signal.SIGTERM, 143, id="sigterm")],
)
def test_x46_a_script_ends_with_all_its_processes(
    prefect_server: PrefectServer, tmp_path: Path, mark: str, start: Any, number: signal.Signals, code: int
) -> None:
    spec = write_job(tmp_path, script("work", STUBBORN, args=[mark]), script("later"))
    run = start(spec)
    eventually(lambda: len(living(mark)) >= 5)
    seconds = run.send(number)
    assert (run.process.returncode, living(mark)) == (code, [])
    assert seconds < 5 + LEEWAY
    assert "Traceback" not in run.text()
    assert "later started" not in run.text()
    with prefect_server.client() as client:
        state = client.read_flow_run(run_id(run.text())).state
    assert state
    assert state.is_final()
    assert not state.is_completed()


@pytest.mark.docker
def test_x46_ctrl_c_ends_a_container(prefect_server: PrefectServer, tmp_path: Path, engine: Engine, start: Any) -> None:
    run = start(write_job(tmp_path, container("sleep", "600")))
    eventually(lambda: ", run " in run.text())
    eventually(lambda: [it for it in containers(engine.client, run_id(run.text())) if it.status == "running"])
    assert run.send(signal.SIGINT) < 5 + LEEWAY
    assert run.process.returncode == 130
    assert containers(engine.client, run_id(run.text())) == []


def container(*command: str, **keys: Any) -> dict[str, Any]:
    return {"id": "work", "type": "docker", "image": IMAGE, "pull": "never", "command": [*command], **keys}


def timed_out(server: PrefectServer, spec: Path) -> Ran:
    """The run of a spec whose step `work` has to be ended by its timeout."""
    finished = flowmill("run", spec, cwd=spec.parent)
    assert finished.returncode == 1
    assert "work timed out" in finished.stdout
    ran = read_run(server, run_id(finished.stdout), plan_of(spec, "staging"))
    assert (ran.state.name, ran.states()["work"]) == ("TimedOut", "TimedOut")
    assert ran.message("work").startswith("timed out after 3s")
    return ran


def seconds_of(ran: Ran) -> float:
    task = ran.tasks["work"]
    assert task.start_time
    assert task.end_time
    return (task.end_time - task.start_time).total_seconds()


@pytest.mark.docker
def test_a_container_is_gone_when_its_time_is_up(prefect_server: PrefectServer, tmp_path: Path, engine: Engine) -> None:
    ran = timed_out(prefect_server, write_job(tmp_path, container("sleep", "600", timeout="3s")))
    assert containers(engine.client, ran.run.id) == []
    assert 3 <= seconds_of(ran) < 5 + LEEWAY


def test_a_script_with_all_its_processes_is_gone_when_its_time_is_up(
    prefect_server: PrefectServer, tmp_path: Path, mark: str
) -> None:
    spec = write_job(tmp_path, script("work", STUBBORN, args=[mark], timeout="3s"))
    ran = timed_out(prefect_server, spec)
    assert living(mark) == []
    assert 3 <= seconds_of(ran) < 5 + LEEWAY
