"""The services of a local run."""

from pathlib import Path

from flowmill.local.success_times import LocalTimes
from flowmill.running.runtime import Nobody, Observer, Runtime, Selection
from flowmill.running.secrets import LocalSecrets
from flowmill_tasks.registry import discover


def local_runtime(
    spec: Path,
    outbox: Path | None = None,
    observer: Observer | None = None,
    selection: Selection | None = None,
) -> Runtime:
    """Local secrets, its own times of last successes, the real clock, and messages to `outbox` (None delivers them)."""
    return Runtime(
        folder=spec.absolute().parent,
        registry=discover(),
        secrets=LocalSecrets(spec.absolute().parent),
        outbox=outbox.absolute() if outbox else None,
        observer=observer or Nobody(),
        selection=selection or Selection(),
        successes=LocalTimes(spec),
    )
