"""Our hooks in the real pre-commit: it clones this tree, installs it, and refuses a commit with a mistake."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from lint.workspace import FLOW, lay_out

ROOT = Path(__file__).resolve().parents[2]
PRE_COMMIT = str(Path(sys.executable).with_name("pre-commit"))
AUTHOR = {"GIT_AUTHOR_NAME": "Somebody", "GIT_AUTHOR_EMAIL": "somebody@example.org"}
COMMITTER = {"GIT_COMMITTER_NAME": "Somebody", "GIT_COMMITTER_EMAIL": "somebody@example.org"}


def call(*command: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "COV", "PYTEST"))}
    environ = {**kept, **AUTHOR, **COMMITTER, "PRE_COMMIT_HOME": str(folder.parent / "pre-commit")}
    return subprocess.run(
        command, cwd=folder, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600
    )


def repository(folder: Path) -> str:
    """Make a repository of what lies in a folder; its commit."""
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--no-verify", "--message", "all"]):
        done = call("git", *command, folder=folder)
        assert done.returncode == 0, done.stdout
    return call("git", "rev-parse", "HEAD", folder=folder).stdout.strip()


def tree_as_it_is(folder: Path) -> Path:
    """A copy of this project as a commit would have it, whether it is one already or not."""
    listed = call("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", folder=ROOT).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def users(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of specs with the hooks of this project as docs/ci.md shows them."""
    around = tmp_path_factory.mktemp("pre-commit")
    revision = repository(tree_as_it_is(around / "flowmill"))
    config = yaml.safe_load((ROOT / "tests/ci/pre-commit-config.yaml").read_text())
    config["repos"][0] |= {"repo": str(around / "flowmill"), "rev": revision}
    folder = around / "flows"
    lay_out(folder, {"demo/trips.yaml": FLOW})
    (folder / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    repository(folder)
    done = call(PRE_COMMIT, "install", folder=folder)
    assert done.returncode == 0, done.stdout
    return folder


def commit(folder: Path, name: str, text: str) -> "subprocess.CompletedProcess[str]":
    (folder / name).write_text(text)
    call("git", "add", "--all", folder=folder)
    return call("git", "commit", "--message", "a change", folder=folder)


def test_a_commit_is_proved_and_one_with_a_mistake_is_refused(users: Path) -> None:
    right = commit(users, "specs/demo/trips.yaml", FLOW.replace("17 4", "17 5"))
    assert right.returncode == 0, right.stdout
    assert "mend flow specs" in right.stdout
    assert right.stdout.count("Passed") == 2

    # The mistake is in the other file than the one that is committed.
    wrong = commit(
        users, "specs/flowmill.yaml", (users / "specs/flowmill.yaml").read_text().replace("etl-01", "etl-02")
    )
    assert wrong.returncode == 1
    assert "specs/demo/trips.yaml:3:9: there is no server `etl-01` [unknown-server]" in wrong.stdout


def test_what_can_be_mended_is_mended_and_the_commit_stops_for_a_look(users: Path) -> None:
    call("git", "reset", "--hard", "--quiet", folder=users)
    misspelt = FLOW.replace("server:", "sever:")
    stopped = commit(users, "specs/demo/trips.yaml", misspelt)
    assert (stopped.returncode, "files were modified by this hook" in stopped.stdout) == (1, True), stopped.stdout
    mended = (users / "specs/demo/trips.yaml").read_text()
    assert mended == FLOW
    again = commit(users, "specs/demo/trips.yaml", f"# looked at\n{mended}")
    assert again.returncode == 0, again.stdout


def test_a_commit_without_specs_is_left_alone(users: Path) -> None:
    call("git", "reset", "--hard", "--quiet", folder=users)
    other = commit(users, "notes.txt", "nothing to prove")
    assert (other.returncode, other.stdout.count("Skipped")) == (0, 2), other.stdout
