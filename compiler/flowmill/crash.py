"""When flowmill itself fails: no traceback for the user, but everything that a report needs."""

import platform
import sys
import tempfile
import traceback
from pathlib import Path

from flowmill import __version__

EXIT_CODE = 3


def report_crash(error: Exception) -> int:
    """Say what to paste in a report, and return the exit code."""
    print(crash_report(error), file=sys.stderr)  # noqa: T201 - a crash must not lean on our own output code
    return EXIT_CODE


def crash_report(error: BaseException) -> str:
    """What to paste in a report; the frames are kept in a file.

    The exception's own text is left out: it may quote a value of a spec or a secret. Not so where a package
    of step types is at fault, which whoever installed it can mend.
    """
    from flowmill_tasks.registry import RegistryError

    if isinstance(error, RegistryError):
        return f"flowmill cannot use what is installed: {error}"
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1]
    where = f"{Path(last.filename).name}:{last.lineno} in {last.name}"
    lines = [
        "flowmill has crashed. This is a fault of flowmill, not of your specs.",
        "Please report it, with these lines and the file below:",
        f"  flowmill {__version__}, Python {platform.python_version()}, {platform.system()}",
        f"  {type(error).__name__} at {where}",
        f"  {_written(frames)}",
    ]
    return "\n".join(lines)


def _written(frames: traceback.StackSummary) -> str:
    text = "".join(f"{frame.filename}:{frame.lineno} in {frame.name}\n" for frame in frames)
    with tempfile.NamedTemporaryFile("w", prefix="flowmill-crash-", suffix=".txt", delete=False) as file:
        file.write(text)
    return file.name
