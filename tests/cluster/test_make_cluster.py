"""`make cluster` and `make cluster-down`: what is promised is there, and then nothing is."""

import json
import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from support.engine import eventually

PROGRAM = Path(__file__).parents[2] / "docs/cluster.py"


def cluster(verb: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, str(PROGRAM), verb, "--folder", str(folder)],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def processes_of(folder: Path) -> list[str]:
    """Processes that have something to do with the folder: their command or their environment names it."""
    found = []
    for place in Path("/proc").iterdir():
        try:
            about = (place / "cmdline").read_bytes() + (place / "environ").read_bytes()
        except OSError:
            continue
        if f"{folder}/".encode() in about and place.name != str(os.getpid()):
            found.append(place.name)
    return found


def read(address: str) -> str:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address, timeout=10) as answer:
        return str(answer.read().decode())


@pytest.mark.prefect
@pytest.mark.docker
def test_it_comes_up_and_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "cluster"
    try:
        printed = cluster("up", folder)
        [ui] = re.findall(r"Prefect's UI +(\S+)", printed)
        assert "<html" in read(ui)
        assert json.loads(read(f"{ui}/ui-settings"))["api_url"] == f"{ui}/api", "where the UI looks for everything"
        eventually(lambda: len(list((folder / "mails").iterdir())) == len(list((folder / "slack").iterdir())) == 2, 90)
        mails = "".join(path.read_text() for path in (folder / "mails").iterdir())
        assert "Subject: production: the branch production on cluster-desk-01-production" in mails
        assert "Subject: staging: the branch main on cluster-desk-01-staging" in mails
        assert len(processes_of(folder)) >= 10
    finally:
        assert cluster("down", folder) == "nothing of the cluster is left\n"
    assert (processes_of(folder), folder.exists()) == ([], False)


def test_down_ends_exactly_what_is_written_down(tmp_path: Path) -> None:
    """Also when the process in the background has died; and not one that has got the id of another."""
    left, other = (subprocess.Popen(["sleep", "600"], start_new_session=True) for _ in range(2))
    started = Path(f"/proc/{left.pid}/stat").read_text().rpartition(")")[2].split()[19]
    entries = [{"pid": left.pid, "started": started}, {"pid": other.pid, "started": "1"}]
    (tmp_path / "processes.json").write_text(json.dumps(entries))
    try:
        cluster("down", tmp_path)
        assert left.wait(10) == -15
        assert other.poll() is None
    finally:
        for process in (left, other):
            process.kill()
            process.wait()
