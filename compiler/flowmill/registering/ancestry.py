"""Whether a manifest is of a commit that comes after what was registered last, so that nothing older wins.

The commit that is compared with is that of the last manifest that changed anything; where nothing changes nothing
is written, and so later commits leave no trace.
"""

from collections.abc import Iterator
from pathlib import Path

from flowmill.history.repository import Repository
from flowmill.registering.kept import Kept
from flowmill.registering.manifest import Manifest
from flowmill.registering.preflight import Obstacle

SHOWN = 12
"""Digits of a commit in messages."""


def older_than_registered(root: Path, manifest: Manifest, last: Kept | None) -> Iterator[Obstacle]:
    """What stands against registering a manifest over the last one.

    Args:
        root: the folder of the workspace.
    """
    if last is None or not _are_of_git(manifest, last) or manifest.commit == last.commit:
        return
    repository = Repository.around(root)
    commit = manifest.commit or ""
    if repository is None or not (repository.knows(last.commit) and repository.knows(commit)):
        yield _unknown(last.commit, is_shallow=bool(repository and repository.is_shallow()))
    elif repository.is_ancestor(last.commit, commit):
        return
    elif repository.is_ancestor(commit, last.commit):
        yield _refusal(f"commit {_short(commit)} is older than {_short(last.commit)}", last)
    elif repository.is_shallow():
        yield _unknown(last.commit, is_shallow=True)
    else:
        yield _refusal(f"the history of commit {_short(commit)} does not have {_short(last.commit)}", last)


def rolled_back(manifest: Manifest, last: Kept | None) -> Iterator[Obstacle]:
    """A warning that registering undoes a rollback."""
    if last and last.by == "rollback" and last.digest != manifest.digest:
        to = f"commit {_short(last.commit)}" if last.commit else f"manifest {last.digest}"
        message = f"the environment was rolled back to {to} on {last.at:%Y-%m-%d %H:%M} UTC; this undoes that"
        yield Obstacle("warning", message, "what must not come back has to be reverted in the specs")


def _are_of_git(manifest: Manifest, last: Kept) -> bool:
    """Whether both were compiled from commits; what is only tried out, from a folder, has no order."""
    return bool(manifest.commit and last.commit) and "local" not in (manifest.storage, last.storage)


def _refusal(what: str, last: Kept) -> Obstacle:
    message = f"{what}, which was registered last, on {last.at:%Y-%m-%d %H:%M} UTC"
    return Obstacle("error", message, "register from a commit that has it, or give `--from-older`")


def _unknown(commit: str, *, is_shallow: bool) -> Obstacle:
    message = f"this clone does not know enough of commit {_short(commit)}, which was registered last, to say that it"
    how = "git fetch --unshallow" if is_shallow else "git fetch"
    return Obstacle("warning", f"{message} comes before what is registered now", f"`{how}` may bring it")


def _short(commit: str) -> str:
    return commit[:SHOWN]
