"""Writing a message to the outbox: the folder that takes a run's messages instead of the people.

A name such as `20261123T153200.123456789Z-notify-k3v9x2ab.eml` sorts by time, tells the step, and is used
only once. A file appears whole or not at all, so a program that watches the folder sees no half message.
"""

import os
import re
import tempfile
import time
from pathlib import Path

from flowmill_tasks.base import StepFailed

_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_.]+")
_STEP_AT_MOST = 80
"""Characters of a step's id in a name: a folder entry holds 255 bytes."""


def write_to_outbox(outbox: Path, step_id: str, suffix: str, data: bytes) -> Path:
    """Write `data` as a new file of the folder `outbox`, which is made when it is not there.

    Args:
        suffix: the name's ending with its dot, such as `.eml`.

    Raises:
        StepFailed: the folder or the file cannot be written (no space, no permission).
    """
    try:
        outbox.mkdir(parents=True, exist_ok=True)
        return _write_whole(outbox, step_id, suffix, data)
    except OSError as error:
        raise StepFailed(f"cannot write to the outbox `{outbox}`: {error.strerror or error}") from error


def _write_whole(outbox: Path, step_id: str, suffix: str, data: bytes) -> Path:
    descriptor, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=outbox)
    part = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        # No two unfinished files share a random part, so at one instant no two names can be equal.
        token = part.name.removeprefix(".").removesuffix(".part")
        return part.rename(outbox / f"{_instant(time.time_ns())}-{_readable(step_id)}-{token}{suffix}")
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _instant(nanoseconds: int) -> str:
    seconds, fraction = divmod(nanoseconds, 1_000_000_000)
    return f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime(seconds))}.{fraction:09d}Z"


def _readable(step_id: str) -> str:
    return _NOT_IN_A_NAME.sub("-", step_id).strip("-.")[:_STEP_AT_MOST] or "step"
