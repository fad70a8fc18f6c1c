"""`flowmill run` on a machine that has nothing: no server, no settings, an empty home."""

import os
import subprocess
from pathlib import Path

import pytest

from support.flows import FLOWMILL, script, write_job
from support.waiting import PATIENCE

pytestmark = pytest.mark.prefect


def test_a_run_needs_no_service(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    spec = write_job(tmp_path / "specs", script("hello", "echo hello"), script("fail", "exit 3"))
    finished = subprocess.run(
        [FLOWMILL, "run", str(spec)],
        cwd=tmp_path,
        env={**environ, "HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (finished.returncode, finished.stderr) == (1, "")
    assert "hello | hello\n" in finished.stdout
    assert "run failed in" in finished.stdout
    assert (home / ".prefect/prefect.db").is_file()
    assert servers_of(home) == []


def servers_of(home: Path) -> list[str]:
    """The command lines of processes that belong to the home: the embedded server must not outlive the run."""
    found = []
    for place in Path("/proc").iterdir():
        try:
            if place.name.isdecimal() and f"HOME={home}\0".encode() in (place / "environ").read_bytes():
                found.append((place / "cmdline").read_text())
        except OSError:
            continue  # it has ended meanwhile, or is somebody else's
    return found
