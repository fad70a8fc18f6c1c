"""The processes of runs on this machine, found by what Prefect puts into their environment.

A process id that was kept says less: it is somebody else's when its process has ended.
"""

import re
from pathlib import Path

_PROC = Path("/proc")
_MARKER = re.compile(rb"(?:^|\0)PREFECT__FLOW_RUN_ID=([0-9a-f-]{36})(?:\0|$)")


def can_be_told() -> bool:
    """Whether this system shows the environments of processes; where it does not, no run may be taken for dead."""
    return (_PROC / "self/environ").exists()


def processes_of_runs() -> dict[str, list[int]]:
    """The living processes of runs that a worker of this user has started, by the id of their run."""
    found: dict[str, list[int]] = {}
    for place in _PROC.iterdir():
        if place.name.isdecimal() and (run := _run_of(place)):
            found.setdefault(run, []).append(int(place.name))
    return found


def _run_of(place: Path) -> str:
    try:
        # The name in parentheses may hold anything; the state stands behind it.
        state = (place / "stat").read_bytes().rpartition(b")")[2].split()[0]
        marked = _MARKER.search((place / "environ").read_bytes())
    except (OSError, IndexError):  # it has ended meanwhile, or is somebody else's
        return ""
    return marked[1].decode() if marked and state not in (b"Z", b"X") else ""
