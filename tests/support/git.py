"""A git repository to pull specs from: in a folder, or behind HTTP with a login. The same pushes give the same shas."""

import base64
import os
import ssl
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from support.certificate import Certificate

BRANCHES = ("main", "production")
_BEGINNING = 1_775_000_000  # seconds since 1970; each commit is a minute later than the one before it
_WHO = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in
        (("NAME", "A Developer"), ("EMAIL", "developer@example.org"))}
# Nobody's own settings of git.
_ALONE = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}


@dataclass(frozen=True)
class GitHost:
    """A bare repository, as a service for git keeps it: any commit can be fetched by its sha, partial clones work.

    Attributes:
        repository: its folder.
    """

    repository: Path

    @property
    def url(self) -> str:
        return self.repository.as_uri()

    def push(self, files: Mapping[str, str | None], branch: str = "main", message: str = "A change") -> str:
        """Commit these files on top of a branch; its sha. A new branch begins where main is.

        Args:
            files: contents by path; None removes the file.
        """
        with self._index(self.sha(branch)) as index:
            for path, text in files.items():
                index.put(path, text)
            return self._commit(index.tree(), branch, message)

    def push_folder(self, folder: Path, branch: str = "main", message: str = "A change") -> str:
        """Commit a folder as it is, without what its .gitignore names; the branch has nothing else then. Its sha."""
        with self._index("") as index:
            index.git("--work-tree", str(folder), "add", "--all", ".", folder=folder)
            return self._commit(index.tree(), branch, message)

    def point(self, branch: str, commit: str) -> str:
        """Let a branch be at a commit or at where another branch is, wherever it has been before; the sha."""
        sha = self.sha(commit)
        self.git("update-ref", f"refs/heads/{branch}", sha)
        return sha

    def sha(self, commit: str) -> str:
        """Of a branch or commit; empty if there is none. A branch that does not exist yet is where main is."""
        for name in (commit, "main"):
            found = self.git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}", check=False)
            if found or commit not in BRANCHES:
                return found
        return ""

    def git(self, *arguments: str, check: bool = True, environ: Mapping[str, str] | None = None) -> str:
        """What a command of git about this repository prints."""
        return git(*arguments, folder=self.repository, check=check, environ=environ)
