"""Whether workers can fetch the commits that deployments are pinned to: they must be on the environment's branch."""

from collections.abc import Iterator
from pathlib import Path

from flowmill.counted import counted
from flowmill.history.git import tell
from flowmill.history.repository import Repository, UnknownRef
from flowmill.registering.manifest import Manifest
from flowmill.registering.preflight import Obstacle

NAMED = 3
"""Specs that are named in a message."""


def not_fetchable(root: Path, address: str, manifest: Manifest) -> Iterator[Obstacle]:
    """The pinned commits that are not on the branch of the environment, as the remote was last seen.

    Args:
        root: the folder of the workspace.
        address: of the repository that workers fetch from.
    """
    if manifest.storage != "git" or manifest.pin != "commit":
        return
    repository = Repository.around(root)
    if repository is None or not manifest.deployments:
        return
    remote = repository.remote_of(address)
    branch = f"{remote}/{manifest.ref}" if remote else manifest.ref
    tip = repository.remote_ref(manifest.ref, address) if remote else _own(repository, manifest.ref)
    if tip is None:
        yield _unknown_branch(branch, remote, manifest.ref)
        return
    lacking = _lacking(repository, manifest, tip)
    if lacking and repository.is_shallow():
        yield _cut_off(lacking, branch)
    elif lacking:
        yield _refusal(lacking, branch, manifest.ref)


def _own(repository: Repository, ref: str) -> str | None:
    """The last commit of a branch of a repository without remotes: workers can only mean itself."""
    try:
        return repository.commit(f"refs/heads/{ref}")
    except UnknownRef:
        return None


def _lacking(repository: Repository, manifest: Manifest, tip: str) -> list[str]:
    """The specs whose commits are not in the history of the branch."""
    head = manifest.commit or ""
    if repository.knows(head) and repository.is_ancestor(head, tip):
        return []  # every pin is in the history of the commit that was compiled
    history = set(tell(repository.root, "rev-list", tip).text.splitlines())
    return sorted(it.spec for it in manifest.deployments.values() if it.commit and it.commit not in history)


def _refusal(specs: list[str], branch: str, ref: str) -> Obstacle:
    names = ", ".join(f"`{spec}`" for spec in specs[:NAMED])
    more = f" and {len(specs) - NAMED} more" if len(specs) > NAMED else ""
    what = counted(len(specs), "spec")
    message = f"{what} last changed in commits that `{branch}` does not have, where workers look: {names}{more}"
    return Obstacle("error", message, f"merge or `git push` them to `{ref}`; if they are there already, `git fetch`")


def _cut_off(specs: list[str], branch: str) -> Obstacle:
    what = counted(len(specs), "spec")
    message = f"this clone's history is cut off, so it cannot say whether `{branch}` has the commits of {what}"
    return Obstacle("warning", message, "`git fetch --unshallow` brings all of it")


def _unknown_branch(branch: str, remote: str | None, ref: str) -> Obstacle:
    message = f"this clone knows no branch `{branch}`, so it cannot say what workers can fetch"
    fetch = f"git fetch {remote} {ref}:refs/remotes/{branch}" if remote else f"git branch {ref}"
    return Obstacle("error", message, f"`git push` it, or `{fetch}` if it is there")
