"""`mutex` on a real server and on lock files: who holds it, who waits, and what becomes of it when a holder dies."""

import asyncio
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

from flowmill.backend.mutex import PREFIX, ServerMutexes, with_mutexes
from flowmill.local.runtime import local_runtime
from flowmill.local.select import plan_of
from flowmill.running.lock_files import LockFiles, cache_folder
from flowmill.running.mutex import Mutexes
from flowmill_tasks.base import StepFailed
from support.flows import FLOWMILL, JOB, run_plan, script, write_job, write_workspace
from support.prefect_server import PrefectServer
from support.steps import ListLog
from support.waiting import PATIENCE, eventually

pytestmark = pytest.mark.prefect

BEGIN_END = 'echo "begin" >> "$1"; sleep 0.5; echo "end" >> "$1"'
IN_TURNS = ["begin", "end"] * 2


@pytest.fixture
def name() -> str:
    """A mutex that no other test uses."""
    return f"test-{secrets.token_hex(4)}"


@contextmanager
def held(mutexes: Mutexes, name: str) -> Iterator[ListLog]:
    """Hold a mutex in a thread of its own while the block runs."""
    log, holding, done = ListLog(), threading.Event(), threading.Event()

    async def hold() -> None:
        async with mutexes.hold(name, log):
            holding.set()
            await asyncio.to_thread(done.wait)

    thread = threading.Thread(target=lambda: asyncio.run(hold()), daemon=True)
    thread.start()
    assert holding.wait(PATIENCE)
    try:
        yield log
    finally:
        done.set()
        thread.join(PATIENCE)


def take(mutexes: Mutexes, name: str, within: float) -> float:
    """Take a mutex and let it go; how many seconds it took to get it."""
    began = time.monotonic()

    async def once() -> None:
        async with asyncio.timeout(within), mutexes.hold(name, ListLog()):
            pass

    asyncio.run(once())
    return time.monotonic() - began


def start(spec: Path, **environ: str) -> "subprocess.Popen[str]":
    """`flowmill run` in a process group of its own."""
    return subprocess.Popen(
        [FLOWMILL, "run", str(spec)],
        cwd=spec.parent,
        env={**os.environ, **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def working(id: str, name: str, trail: Path) -> dict[str, object]:
    return script(id, BEGIN_END, args=[str(trail)], needs=[], mutex=name)


def test_two_steps_of_a_run_take_turns_and_the_second_says_why_it_waits(
    prefect_server: PrefectServer, tmp_path: Path, name: str
) -> None:
    trail = tmp_path / "trail"
    spec = write_job(tmp_path, working("one", name, trail), working("two", name, trail))
    plan = plan_of(spec, "staging")
    ran = run_plan(prefect_server, plan, with_mutexes(local_runtime(spec)))
    assert (ran.state.name, trail.read_text().split()) == ("Completed", IN_TURNS)
    assert ran.text().count(f"waits for the mutex `{name}`") == 1


@pytest.mark.parametrize("machines", [1, 2])
def test_steps_of_two_flows_in_two_processes_take_turns(
    prefect_server: PrefectServer, tmp_path: Path, name: str, machines: int
) -> None:
    """With folders for locks of their own, the processes know of each other through the server only."""
    trail = tmp_path / "trail"
    flows = {f"demo/{flow}.yaml": {**JOB, "steps": [working("work", name, trail)]} for flow in ("one", "two")}
    write_workspace(tmp_path, flows)
    caches = [str(tmp_path / f"cache-{number % machines}") for number in (0, 1)]
    runs = [start(tmp_path / path, XDG_CACHE_HOME=cache) for path, cache in zip(flows, caches, strict=True)]
    outputs = [run.communicate(timeout=PATIENCE)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], outputs
    assert trail.read_text().split() == IN_TURNS


def test_on_the_server_many_can_ask_for_a_new_one_at_once(prefect_server: PrefectServer, name: str) -> None:
    going, most = 0, 0

    async def one() -> None:
        nonlocal going, most
        async with ServerMutexes().hold(name, ListLog()):
            going += 1
            most = max(most, going)
            await asyncio.sleep(0)
            going -= 1

    async def all_of_them() -> None:
        await asyncio.gather(*(one() for _ in range(6)))

    asyncio.run(all_of_them())
    assert (going, most) == (0, 1)
    with prefect_server.client() as client:
        limit = client.read_global_concurrency_limit_by_name(PREFIX + name)
    assert (limit.limit, limit.active_slots) == (1, 0)


def test_waiting_does_not_use_up_the_time_of_the_step(prefect_server: PrefectServer, tmp_path: Path, name: str) -> None:
    spec = write_job(tmp_path, script("work", mutex=name, timeout="1s"))
    with held(ServerMutexes(), name):
        run = start(spec)
        assert run.stdout
        read = iter(run.stdout.readline, "")
        assert next(line for line in read if f"waits for the mutex `{name}`" in line)
        since = time.monotonic()
        eventually(lambda: time.monotonic() > since + 2)
        assert run.poll() is None
    assert (run.wait(PATIENCE), run.stdout.read().count("timed out")) == (0, 0)


def test_a_step_that_fails_lets_go(prefect_server: PrefectServer, tmp_path: Path, name: str) -> None:
    spec = write_job(tmp_path, script("work", "exit 3", mutex=name))
    ran = run_plan(prefect_server, plan_of(spec, "staging"), with_mutexes(local_runtime(spec)))
    assert ran.state.name == "Failed"
    assert take(ServerMutexes(), name, 20) < 5
    assert take(LockFiles(), name, 20) < 1


def holder(tmp_path: Path, name: str) -> tuple[Path, Path]:
    """A flow that holds a mutex until it is ended, and the file that it makes when it does."""
    mark = tmp_path / "holding"
    return write_job(tmp_path, script("work", 'touch "$1"; sleep 600', args=[str(mark)], mutex=name)), mark


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_cancelled_lets_go(
    prefect_server: PrefectServer, tmp_path: Path, name: str, number: signal.Signals
) -> None:
    spec, mark = holder(tmp_path, name)
    run = start(spec)
    eventually(mark.exists)
    os.killpg(run.pid, number)
    assert run.wait(PATIENCE) == 128 + number
    assert take(ServerMutexes(), name, 20) < 5
    assert take(LockFiles(), name, 20) < 1


SHORT_LEASE = """\
import asyncio, sys
from dataclasses import replace
from pathlib import Path
from flowmill.backend.flow import build_flow
from flowmill.backend.mutex import ServerMutexes
from flowmill.local.runtime import local_runtime
from flowmill.local.select import plan_of

spec = Path(sys.argv[1])
runtime = replace(local_runtime(spec), mutexes=ServerMutexes(lease=60))
asyncio.run(build_flow(plan_of(spec, "staging"), runtime)())
"""


@pytest.fixture(scope="module", autouse=True)
def killed_holder(prefect_server: PrefectServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A mutex whose holder is killed before the other tests, so that they go on while its lease runs out."""
    name = f"test-{secrets.token_hex(4)}"
    spec, mark = holder(tmp_path_factory.mktemp("killed"), name)
    run = subprocess.Popen([sys.executable, "-c", SHORT_LEASE, str(spec)], start_new_session=True)
    eventually(mark.exists)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    with pytest.raises(TimeoutError):
        take(ServerMutexes(), name, 2)
    return name


def test_the_lock_file_of_a_killed_run_is_free_at_once(
    prefect_server: PrefectServer, tmp_path: Path, name: str
) -> None:
    spec, mark = holder(tmp_path, name)
    run = start(spec)
    eventually(mark.exists)
    with pytest.raises(TimeoutError):
        take(LockFiles(), name, 0.3)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    assert take(LockFiles(), name, 10) < 1


def test_a_run_on_the_embedded_server_uses_the_file_alone(tmp_path: Path, name: str) -> None:
    spec = write_job(tmp_path, script("work", mutex=name))
    with held(LockFiles(), name):
        run = start(spec, PREFECT_SERVER_ALLOW_EPHEMERAL_MODE="true", PREFECT_API_URL="")
        assert run.stdout
        lines = iter(run.stdout.readline, "")
        assert next(line for line in lines if f"waits for the mutex `{name}`" in line)
    assert (run.wait(PATIENCE), list((cache_folder() / "locks").glob(f"{name}*"))) == (0, [_lock_file(name)])


def _lock_file(name: str) -> Path:
    return cache_folder() / "locks" / f"{name}.lock"


def test_a_server_that_cannot_be_asked_fails_the_step(name: str) -> None:
    nobody = {PREFECT_API_URL: "http://127.0.0.1:9/api", PREFECT_CLIENT_MAX_RETRIES: 0}
    with temporary_settings(nobody), pytest.raises(StepFailed) as failed:
        take(ServerMutexes(), name, 20)
    assert failed.value.message == f"the mutex `{name}` cannot be held: Prefect cannot be asked (ConnectError)"


def test_a_folder_that_cannot_be_written_fails_the_step(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StepFailed) as failed:
        take(LockFiles(tmp_path / "file"), name, 20)
    assert failed.value.message.startswith(f"the mutex `{name}` cannot be held: its lock file cannot be opened (")


def test_what_a_killed_run_held_is_free_after_its_lease(killed_holder: str) -> None:
    """A minute is the shortest lease that a server gives; it began before the other tests."""
    take(ServerMutexes(), killed_holder, 100)
