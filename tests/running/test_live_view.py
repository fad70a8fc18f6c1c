"""What a person sees who runs a flow on a terminal."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from support.flows import script, write_job
from support.prefect_server import PrefectServer

pytestmark = pytest.mark.prefect

FLOWMILL = str(Path(sys.executable).with_name("flowmill"))


def on_a_terminal(command: list[str], folder: Path) -> tuple[int, str]:
    """The exit code of a command whose output is a terminal, and everything that it has drawn there."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(command, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    drawn = b""
    try:
        while chunk := os.read(ours, 65536):
            drawn += chunk
    except OSError:
        pass  # on Linux, how a terminal says that nobody holds its other end any more
    finally:
        os.close(ours)
    return process.wait(), drawn.decode()


def test_a_board_shows_each_step_and_a_picture_ends_it(prefect_server: PrefectServer, tmp_path: Path) -> None:
    steps = [script("quick", "echo hello"), script("slow", "sleep 1"), script("bad", "exit 3")]
    code, drawn = on_a_terminal([FLOWMILL, "run", str(write_job(tmp_path, *steps))], tmp_path)
    assert code == 1
    assert "\x1b[32m" in drawn, "nothing is green"
    assert "| hello" in drawn
    assert "✓" in drawn, "the board never showed a step that had ended"
    assert "█" in drawn, "no picture of the run"
    assert "exit code 3" in drawn
