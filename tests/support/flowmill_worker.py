"""`flowmill worker` as a process, and the processes below it."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from support.flows import FLOWMILL
from support.waiting import PATIENCE, eventually

STOP_WITHIN = 30


@dataclass(frozen=True)
class FlowmillWorker:
    """A worker that was started, with what it prints."""

    process: "subprocess.Popen[bytes]"
    log: Path

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def started(self) -> "FlowmillWorker":
        eventually(lambda: "started!" in self.text() or self.process.poll() is not None)
        assert self.process.poll() is None, self.text()
        return self

    def prefects_own(self) -> int:
        """The process id of the worker below it."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return next(int(pid) for pid in children if b"prefect" in Path(f"/proc/{pid}/cmdline").read_bytes())

    def kill(self) -> None:
        """As the system does when memory runs out: the worker below it too, and neither can say a word."""
        below = self.prefects_own()
        self.process.kill()
        os.kill(below, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> tuple[int, float]:
        """Ask it to stop; its exit code, and how many seconds it took."""
        began = time.monotonic()
        self.process.terminate()
        return self.process.wait(PATIENCE), time.monotonic() - began


@contextmanager
def flowmill_worker(
    folder: Path, server: str, environment: str, *options: str, **environ: str
) -> Iterator[FlowmillWorker]:
    """A worker in a workspace, whose files about workers lie in `folder/cache`."""
    number = len(list(folder.glob("worker-*.log")))
    log = folder / f"worker-{number}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [FLOWMILL, "worker", "--server", server, "--env", environment, *options],
            cwd=folder,
            env={
                **os.environ,
                "PREFECT_WORKER_QUERY_SECONDS": "1",
                "XDG_CACHE_HOME": str(folder / "cache"),
                **environ,
            },
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield FlowmillWorker(process, log)
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_WITHIN)
        process.kill()
        process.wait()


def flow_process(run: UUID) -> int:
    """The process id of a run that a worker has started."""
    marker = f"PREFECT__FLOW_RUN_ID={run}".encode()
    for place in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if place.name.isdecimal() and marker in (place / "environ").read_bytes():
                return int(place.name)
    raise AssertionError(f"run {run} has no process")
