"""`flowmill validate` needs neither Prefect nor a network, and runs nothing of what lies in the folder it looks at."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from golden.corpus import FOLDER, WORKSPACE
from support.git import GitFolder
from support.waiting import PATIENCE
from validating.command import FLOWMILL, flowmill

HEAVY = ["prefect", "httpx", "docker", "slack_sdk", "smtplib", "anyio", "asyncio", "rich", "requests", "sqlalchemy"]
REPORT = f"""
import json, sys
from flowmill.cli import main
try:
    main()
except SystemExit as leaving:
    code = leaving.code
sys.stderr.write(json.dumps([code, sorted(set({HEAVY}) & set(sys.modules))]))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace with a flow of every step type, and flows that use all that it declares."""
    shutil.copytree(WORKSPACE, tmp_path / "specs")
    names = ("script", "docker", "email", "slack", "expressions", "schedule", "overrides", "description", "run-keys")
    for name in names:
        shutil.copy(FOLDER / f"ok/{name}.yaml", tmp_path / "specs/demo")
    return tmp_path


@pytest.mark.parametrize(
    "arguments",
    [
        ["validate"],
        ["validate", "--format", "json"],
        ["compile"],
        ["compile", "--manifest", "--env", "staging"],
        ["schema", "--check"],
        ["diff", "HEAD"],
        ["site"],
        ["schedule", "--format", "html"],
        ["graph", "specs/demo/script.yaml", "--against", "HEAD"],
        ["--help"],
    ],
    ids=" ".join,
)
def test_without_prefect_and_what_it_brings_along(folder: Path, arguments: list[str]) -> None:
    shutil.copytree(FOLDER.parent.parent / "schema", folder / "schema")
    GitFolder.new(folder).commit({})
    blocked = folder / "blocked"
    blocked.mkdir()
    for name in HEAVY:
        (blocked / f"{name}.py").write_text(f"raise ImportError('{name} is not to be imported')\n")
    done = subprocess.run(
        [sys.executable, "-c", REPORT, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(blocked)},
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert json.loads(done.stderr) == [0, []]


HOSTILE_FILES = {
    "conftest.py": "{canary}",
    "sitecustomize.py": "{canary}",
    "usercustomize.py": "{canary}",
    "yaml.py": "{canary}",
    "click.py": "{canary}",
    "flowmill.py": "{canary}",
    "flowmill_tasks.py": "{canary}",
    "tasks.py": "{canary}",
    "load.py": "{canary}",
    "project.py": "{canary}",
    "pyproject.toml": "[tool.flowmill]\nsteps = 'tasks'\n",
    "prefect.toml": "[api]\nurl = 'http://127.0.0.1:9/api'\n",
    ".env": "PYTHONPATH=.\nPREFECT_API_URL=http://127.0.0.1:9/api\n",
    "hostile-1.0.dist-info/entry_points.txt": "[flowmill.steps]\nhostile = tasks\n",
    "hostile-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: hostile\nVersion: 1.0\n",
}


@pytest.mark.parametrize("place", [".", "specs", "specs/demo"])
def test_i28_i29_nothing_that_lies_around_is_run_or_read(folder: Path, place: str) -> None:
    canary = folder / "it-ran"
    for name, content in HOSTILE_FILES.items():
        path = folder / place / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content.format(canary=f"open({str(canary)!r}, 'w')"))
    ran = flowmill("validate", cwd=folder / place)
    assert (ran.code, ran.text) == (0, "9 flows valid in 2 environments\n")
    assert not canary.exists()


def test_i28_nothing_is_written(folder: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert flowmill("validate", cwd=folder).code == 0
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_i28_the_network_is_not_needed(folder: Path) -> None:
    alone = ["unshare", "--net", "--map-root-user"]
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let a test have a network of its own")
    done = subprocess.run(
        [*alone, FLOWMILL, "validate"], cwd=folder, capture_output=True, timeout=PATIENCE, check=False
    )
    assert (done.returncode, done.stdout) == (0, b"9 flows valid in 2 environments\n")
