"""The result of a program: what it writes into the file that `FLOWMILL_RESULT` names, besides its output.

The file is there and empty when the program starts. It is read once the program has succeeded, never through
a link, and whole or not at all: half a JSON document would be taken for something else.
"""

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flowmill_tasks.base import StepFailed

VARIABLE = "FLOWMILL_RESULT"
RESULT_AT_MOST = 256 * 1024
"""Bytes."""


@contextmanager
def private_file() -> Iterator[Path]:
    """An empty file that only this user may read, in a folder of its own; both are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="flowmill-result-", ignore_cleanup_errors=True) as folder:
        path = Path(folder) / "result"
        path.touch(mode=0o600)
        yield path


def read_file(path: Path) -> str:
    """What a program has written; nothing where it has removed the file.

    Raises:
        StepFailed: it is too long, or something else lies there now.
    """
    try:
        # Neither followed nor waited for: the program may have put a link or a pipe in its place.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise no_file() from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise no_file()
    with os.fdopen(descriptor, "rb") as file:
        return text_of(file.read(RESULT_AT_MOST + 1))


def text_of(data: bytes) -> str:
    """The result as text: bytes that are no UTF-8 replaced, without line breaks at the end.

    Raises:
        StepFailed: it is too long.
    """
    if len(data) > RESULT_AT_MOST:
        raise too_long()
    return data.decode("utf-8", errors="replace").replace("\0", "\ufffd").rstrip("\r\n")


def too_long() -> StepFailed:
    """The failure of a step whose result is too long."""
    kibibytes = RESULT_AT_MOST // 1024
    return StepFailed(
        f"the result is longer than {kibibytes} KiB; write a file of your own, and its name as the result"
    )


def no_file() -> StepFailed:
    """The failure of a step that has put something else in the place of its result."""
    return StepFailed(f"what {VARIABLE} names is no ordinary file any more; write into it, and leave it where it is")
