"""Tests that need a Docker engine where there is none: a reason on a desk, a failure in CI."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.smtp import closed_port
from support.waiting import PATIENCE

TEST = """
import pytest

@pytest.mark.docker
def test_it():
    print("ran without an engine")
"""


@pytest.mark.parametrize(("ci", "code", "end"), [("true", 1, "1 error"), ("", 0, "1 skipped")], ids=["ci", "desk"])
def test_a_missing_engine_fails_in_ci_only(tmp_path: Path, ci: str, code: int, end: str) -> None:
    (tmp_path / "test_it.py").write_text(TEST)
    engine = f"tcp://127.0.0.1:{closed_port()}"
    paths = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-ra", "-p", "conftest", "-W", "ignore"],
        cwd=tmp_path,
        env={**os.environ, "CI": ci, "DOCKER_HOST": engine, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ended.returncode == code
    assert end in ended.stdout
    assert "Docker engine: " in ended.stdout
    assert "ran without" not in ended.stdout
