"""Running the installed `flowmill` as a person does: in a process of its own, with a limit on time and memory."""

import os
import resource
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from support.unmeasured import unmeasured
from support.waiting import PATIENCE

FLOWMILL = str(Path(sys.executable).with_name("flowmill"))
MEMORY = 1024**3
"""Bytes of address space."""

_AS_NOBODY = """
import contextlib, io, os
from flowmill.cli import main
# Once as root, who can read Python's own files wherever they lie: then everything is imported.
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    main()
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
main()
"""


@dataclass(frozen=True)
class Ran:
    """What a command printed, and how it ended."""

    code: int
    out: bytes
    err: bytes

    @property
    def text(self) -> str:
        return self.out.decode()

    @property
    def error(self) -> str:
        return self.err.decode()


def flowmill(
    *arguments: str | Path,
    cwd: Path,
    environ: Mapping[str, str] | None = None,
    as_nobody: bool = False,
) -> Ran:
    """Run `flowmill` in `cwd`; fails when it takes too long, is ended by a signal, or shows a traceback.

    Args:
        environ: variables that differ from this process's.
        as_nobody: not as root, who may read everything, but as the user 65534.
    """
    program = [sys.executable, "-c", _AS_NOBODY] if as_nobody and os.geteuid() == 0 else [FLOWMILL]
    # That user may not write where this process's coverage is measured.
    inherited = unmeasured() if as_nobody else os.environ
    done = subprocess.run(
        [*program, *map(str, arguments)],
        cwd=cwd,
        env={**inherited, **(environ or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
    )
    assert done.returncode >= 0, f"ended by signal {-done.returncode}"
    assert b"Traceback" not in done.stdout + done.stderr, done.stderr.decode()
    return Ran(done.returncode, done.stdout, done.stderr)
