"""Which workers are this machine's own, and which of them live."""

import subprocess
import sys
from pathlib import Path

import pytest

from flowmill.local.worker_names import NameTaken, WorkerNames


@pytest.fixture
def names(tmp_path: Path) -> WorkerNames:
    return WorkerNames("http://127.0.0.1:4200/api", "etl-01", tmp_path)


def test_a_name_is_dead_when_nobody_holds_it(names: WorkerNames) -> None:
    with names.held("night"):
        assert (names.all(), names.dead()) == ({"night"}, set())
        with pytest.raises(NameTaken), names.held("night"):
            pass
    assert (names.all(), names.dead()) == ({"night"}, {"night"})


def test_whoever_inherits_the_file_holds_the_name(names: WorkerNames) -> None:
    with names.held("night") as lock:
        child = subprocess.Popen(
            [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=(lock,), close_fds=True
        )
    assert names.dead() == set()
    child.communicate(b"\n")
    assert names.dead() == {"night"}


def test_pools_and_servers_have_names_of_their_own(names: WorkerNames, tmp_path: Path) -> None:
    with names.held("night"):
        assert WorkerNames(names.api, "etl-02", tmp_path).all() == set()
        assert WorkerNames("http://127.0.0.1:4300/api", names.pool, tmp_path).all() == set()


def test_a_worker_in_another_container_is_not_this_ones(names: WorkerNames, tmp_path: Path) -> None:
    """They may share a home; its processes cannot be seen from here."""
    with names.held("night"):
        pass
    [file] = tmp_path.rglob("night.worker")
    file.write_text("pid:[1]")
    assert (names.all(), names.dead()) == (set(), set())
    assert names.last_alive("night") is not None


def test_when_a_worker_was_last_alive(names: WorkerNames) -> None:
    assert names.last_alive("night") is None
    with names.held("night"):
        before = names.last_alive("night")
        names.stamp("night")
        after = names.last_alive("night")
    assert before is not None
    assert after is not None
    assert after >= before
