"""Tests that need a Docker engine where there is none: a reason on a desk, a failure in CI."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.smtp import closed_port

TEST = "tests/running/test_stopping.py::test_a_container_is_gone_when_its_time_is_up"


@pytest.mark.parametrize(("ci", "code", "word"), [("true", 1, "ERROR"), ("", 0, "SKIPPED")], ids=["ci", "desk"])
def test_a_missing_engine_fails_in_ci_only(ci: str, code: int, word: str) -> None:
    environ = {**os.environ, "CI": ci, "DOCKER_HOST": f"tcp://127.0.0.1:{closed_port()}"}
    command = [sys.executable, "-m", "pytest", "-ra", "-p", "no:cacheprovider", TEST]
    root = Path(__file__).parents[2]
    ended = subprocess.run(command, cwd=root, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == code
    assert word in ended.stdout
    assert "Docker engine: " in ended.stdout
