"""A git repository as far as registering and comparing need it: commits, branches, what is not committed yet."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from flowmill.history.address import normalised
from flowmill.history.git import GitError, ask, refusal, tell
from flowmill.suggest import did_you_mean

_HEXADECIMAL = re.compile(r"[0-9a-f]{4,64}")
_FALLBACK = "origin"


class UnknownRef(GitError):
    """There is no commit of that name."""


@dataclass(frozen=True)
class Repository:
    """A git work tree.

    Attributes:
        root: its folder, links resolved.
    """

    root: Path

    @staticmethod
    def around(folder: Path) -> "Repository | None":
        """The work tree that a folder lies in; None where it lies in none.

        Raises:
            GitError: there is no git, or it does not trust the folder.
        """
        answer = ask(folder, "rev-parse", "--show-toplevel")
        if answer.code == 0 and answer.text:
            return Repository(Path(answer.text))
        if "dubious ownership" in answer.error:
            hint = f"`git config --global --add safe.directory {folder.resolve()}` trusts it"
            raise GitError(f"git does not read `{folder}`, which belongs to another user; {hint}")
        if answer.code == 0 or "not a git repository" in answer.error or "in a work tree" in answer.error:
            return None
        raise refusal("rev-parse", answer)

    def head(self) -> str:
        """The full id of the commit that is checked out.

        Raises:
            GitError: there is none yet.
        """
        answer = ask(self.root, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        if answer.code != 0:
            raise GitError(f"nothing is committed yet in `{self.root}`")
        return answer.text

    @property
    def has_commits(self) -> bool:
        """Whether anything is committed."""
        return ask(self.root, "rev-parse", "--verify", "--quiet", "HEAD^{commit}").code == 0

    def commit(self, ref: str) -> str:
        """The full id of the commit that a branch, a tag or another spelling of git names.

        Raises:
            UnknownRef: there is none.
        """
        # Not even git has names that begin with `-`: one would be an option.
        if ref and not ref.startswith("-") and ref.isprintable():
            answer = ask(self.root, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}")
            if answer.code == 0:
                return answer.text
        hint = did_you_mean(ref, self._names) or "nothing is committed yet"
        raise UnknownRef(f"git knows no commit `{ref}`; {hint}")

    @cached_property
    def _names(self) -> list[str]:
        """The branches and tags."""
        kinds = ("refs/heads", "refs/remotes", "refs/tags")
        return tell(self.root, "for-each-ref", "--format=%(refname:short)", *kinds).text.splitlines()

    def knows(self, commit: str) -> bool:
        """Whether a commit, named by its id, is here."""
        return (
            bool(_HEXADECIMAL.fullmatch(commit)) and ask(self.root, "cat-file", "-e", f"{commit}^{{commit}}").code == 0
        )

    def is_ancestor(self, old: str, new: str) -> bool:
        """Whether the history of `new` has `old` in it; a commit is in its own history.

        In a shallow clone, False may mean that the history is cut off before.

        Raises:
            UnknownRef: one of them is not here.
        """
        answer = ask(self.root, "merge-base", "--is-ancestor", self.commit(old), self.commit(new))
        if answer.code not in (0, 1):
            raise refusal("merge-base", answer)
        return answer.code == 0

    def is_shallow(self) -> bool:
        """Whether the history is cut off, as CI systems like to clone."""
        return tell(self.root, "rev-parse", "--is-shallow-repository").text == "true"

    def shallow_commits(self) -> frozenset[str]:
        """The commits whose parents are cut off."""
        file = Path(tell(self.root, "rev-parse", "--git-path", "shallow").text)
        file = self.root / file
        return frozenset(file.read_text().split()) if file.is_file() else frozenset()

    def uncommitted(self, folder: Path) -> list[Path]:
        """The absolute paths of files at or below a path whose content is not that of the last commit, in order.

        Files that git ignores do not count; one that is deleted or renamed does, by its old name too.
        """
        arguments = ("--porcelain=v1", "-z", "--untracked-files=all", "--no-renames", "--ignore-submodules=none")
        fields = tell(self.root, "status", *arguments, "--", str(folder)).fields
        return sorted(self.root / field[3:] for field in fields)

    def remote_ref(self, branch: str, url: str) -> str | None:
        """The commit of a branch as the remote at `url` had it when it was last fetched.

        The remote `origin` stands in where none has that address; None where there is no such branch.
        """
        name = self.remote_of(url)
        if name is None:
            return None
        answer = ask(self.root, "show-ref", "--verify", "--hash", "--", f"refs/remotes/{name}/{branch}")
        return answer.text if answer.code == 0 else None

    def remote_of(self, url: str) -> str | None:
        """The name of the remote at `url`; `origin` where none has that address, None where that is not there."""
        remotes = self._remotes
        same = [name for name, address in remotes if normalised(address) == normalised(url)]
        known = {name for name, _ in remotes}
        return next(iter(same), _FALLBACK if _FALLBACK in known else None)

    @property
    def _remotes(self) -> list[tuple[str, str]]:
        """The names of remotes with their addresses."""
        entries = ask(self.root, "config", "-z", "--get-regexp", r"^remote\..*\.url$").fields
        pairs = [entry.partition("\n") for entry in entries]
        return [(key.removeprefix("remote.").removesuffix(".url"), address) for key, _, address in pairs]
