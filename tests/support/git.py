"""Git repositories for tests: made by the real program, with commits that do not depend on who runs them."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.files import write_files
from support.waiting import PATIENCE

ENVIRONMENT = {
    "GIT_AUTHOR_NAME": "Somebody",
    "GIT_AUTHOR_EMAIL": "somebody@example.org",
    "GIT_COMMITTER_NAME": "Somebody",
    "GIT_COMMITTER_EMAIL": "somebody@example.org",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}


@dataclass(frozen=True)
class GitFolder:
    """A work tree of a test."""

    root: Path

    @staticmethod
    def new(root: Path) -> "GitFolder":
        """An empty repository on the branch `main`."""
        root.mkdir(parents=True, exist_ok=True)
        made = GitFolder(root)
        made.git("init", "--quiet", "--initial-branch=main")
        return made

    def git(self, *arguments: str | Path, given: str | None = None) -> str:
        """What `git` prints."""
        return subprocess.run(
            ["git", *map(str, arguments)],
            cwd=self.root,
            env={**os.environ, **ENVIRONMENT},
            input=given,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
            timeout=PATIENCE,
        ).stdout.strip()

    def write(self, files: Mapping[str, Any]) -> None:
        """Write files, those that are not text as JSON; None removes one."""
        write_files(self.root, files)

    def commit(self, files: Mapping[str, Any], message: str = "a change") -> str:
        """Write files and commit everything; the id of the commit."""
        self.write(files)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.head

    @property
    def head(self) -> str:
        """The id of the last commit."""
        return self.git("rev-parse", "HEAD")

    def on(self, branch: str, start: str = "HEAD") -> None:
        """Switch to a new branch."""
        self.git("switch", "--quiet", "--create", branch, start)

    def merge(self, branch: str, *options: str) -> str:
        """Merge a branch with a commit of its own; the id of that."""
        self.git("merge", "--quiet", "--no-ff", "--message", f"merge {branch}", *options, branch)
        return self.head
