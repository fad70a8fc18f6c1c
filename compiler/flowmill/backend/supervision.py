"""Prefect's own worker as a child process: started, told to stop when we are, and cleared up after."""

import os
import signal
import subprocess
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType

import httpx
from prefect.exceptions import PrefectException

from flowmill.backend.dead_runs import DeadRuns
from flowmill.running.clearing import Tell, clear_up
from flowmill.running.processes import processes_of_runs
from flowmill_tasks._script_process import guarded
from flowmill_tasks.base import GRACE
from flowmill_tasks.registry import discover

LOOK_EVERY = 30.0
"""Seconds between two looks for what died without a word."""
_HEARTBEATS = {"PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30"}
"""Seconds between two signs of life of a run. Prefect's least; by default they are 180."""
_HEARTBEAT_NAMES = ("PREFECT_FLOWS_HEARTBEAT_FREQUENCY", "PREFECT_RUNNER_HEARTBEAT_FREQUENCY")
_END_WITHIN = 2 * GRACE
"""Seconds that a run has to end its steps, before it is killed."""
_DIE_WITHIN = 2.0
_POLL = 0.1


def supervise(command: Sequence[str], lock: int, dead_runs: DeadRuns, tell: Tell) -> bool:
    """Run the worker until it ends, and clear up what it leaves; whether it was told to end.

    Args:
        lock: an open file that the worker inherits, so that the lock on it lasts as long as the worker.
    """
    _clear_up(dead_runs, tell, before=True)
    with _told_to_stop() as signals, _worker(command, lock) as worker:
        while not _ended(worker, signals, LOOK_EVERY):
            _clear_up(dead_runs, tell)
        asked = bool(signals)
        _stop(worker, signals, tell)
        if not asked:
            tell(f"the worker ended by itself, with exit code {worker.returncode}")
        _clear_up(dead_runs, tell, ended=True)
    return asked


@contextmanager
def _told_to_stop() -> Iterator[list[int]]:
    """The signals that have asked us to stop, as they come."""
    signals: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        signals.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _worker(command: Sequence[str], lock: int) -> "Iterator[subprocess.Popen[bytes]]":
    """The worker, in a session of its own: a Ctrl-C reaches it once, from us. If we are killed it ends."""
    given = any(name in os.environ for name in _HEARTBEAT_NAMES)
    environ = {**os.environ, **({} if given else _HEARTBEATS)}
    process = subprocess.Popen(command, env=environ, stdin=subprocess.DEVNULL, pass_fds=(lock,), start_new_session=True)
    try:
        with guarded(process.pid):
            yield process
    finally:
        process.kill()
        process.wait()


def _ended(worker: "subprocess.Popen[bytes]", signals: list[int], seconds: float) -> bool:
    """Wait for the worker's end or a signal; false when neither has come in time."""
    deadline = time.monotonic() + seconds
    while not signals and worker.poll() is None:
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL)
    return True


def _stop(worker: "subprocess.Popen[bytes]", signals: list[int], tell: Tell) -> None:
    """Pass the signal on; a second one, or too long a wait, ends the worker at once."""
    if not signals or worker.poll() is not None:
        return
    tell(f"{signal.Signals(signals[0]).name}: stopping the worker and its runs")
    worker.terminate()
    deadline = time.monotonic() + _END_WITHIN
    while len(signals) < 2 and time.monotonic() < deadline:
        if worker.poll() is not None:
            return
        time.sleep(_POLL)
    worker.kill()
    worker.wait()


def _clear_up(dead_runs: DeadRuns, tell: Tell, before: bool = False, ended: bool = False) -> None:
    """Look for what died without a word. What cannot be done now is tried again at the next look."""
    try:
        dead_runs.names.stamp(dead_runs.name)
        if before:
            dead_runs.remember()
        _end(dead_runs.abandoned(ended), tell)
        dead_runs.bury(ended)
    except (httpx.HTTPError, PrefectException) as error:
        tell(f"dead runs could not be looked for: Prefect cannot be asked ({type(error).__name__})")
    clear_up(discover().values(), tell)


def _end(runs: Collection[str], tell: Tell) -> None:
    """End runs whose worker is gone: nobody reads what they print, and nobody could cancel them."""
    for run in runs:
        tell(f"ending run {run}, whose worker is gone")
    for number, seconds in ((signal.SIGTERM, _END_WITHIN), (signal.SIGKILL, _DIE_WITHIN)):
        _send(_processes(runs), number)
        deadline = time.monotonic() + seconds
        while _processes(runs) and time.monotonic() < deadline:
            time.sleep(_POLL)


def _processes(runs: Collection[str]) -> list[int]:
    """Looked up each time: a process id becomes somebody else's."""
    return [pid for run, pids in processes_of_runs().items() if run in runs for pid in pids] if runs else []


def _send(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)
