"""The commit that each flow dates from: the last that changed what the flow consists of in an environment.

A flow consists of its plan and of the files beside it. From the last commit on, history is followed to the first
parent that has the same of both, and the first commit that has no such parent is the pin. So a merge moves no
flow that one of its sides has like that already, and the answer depends on nothing but the commits.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from flowmill.history.commits import Commit, commits_of
from flowmill.history.extract import entries, extracted, links_of
from flowmill.history.git import GitError
from flowmill.history.owners import Owners
from flowmill.history.repository import Repository
from flowmill.pipeline import Compiled, compile_workspace
from flowmill.planning.digest import plan_digest

Digests = Mapping[str, str]
"""The digests of plans, by flow."""


@dataclass(frozen=True)
class Pin:
    """Where a flow comes from.

    Attributes:
        commit: the full id of the commit; None where the last commit has no such flow, or a wrong one.
        changed: absolute paths of what makes the flow differ from the last commit, and is not committed.
    """

    commit: str | None
    changed: tuple[Path, ...] = ()


@dataclass(frozen=True)
class _Workspace:
    """A workspace in its repository."""

    repository: Repository
    root: Path
    environment: str

    @property
    def folder(self) -> str:
        """Its folder, from the root of the repository."""
        folder = self.root.relative_to(self.repository.root).as_posix()
        return "" if folder == "." else folder

    def digests_at(self, commit: str, specs: Mapping[str, str]) -> Digests:
        """The digests of some flows, given by their specs, as they were in a commit; without those that it lacks."""
        if not specs:
            return {}
        with extracted(self.repository, commit, self.folder) as folder:
            only = frozenset(folder / path for path in specs.values())
            return digests_of(compile_workspace(folder, only), self.environment)


def digests_of(compiled: Compiled, environment: str) -> Digests:
    """The digests of the plans of an environment."""
    return {flow: plan_digest(plan) for (flow, name), plan in compiled.plans.items() if name == environment}


def pinned_commits(root: Path, compiled: Compiled, environment: str) -> dict[str, Pin]:
    """The pin of every flow that is planned for an environment.

    Args:
        root: the folder of the workspace.
        compiled: the workspace as it lies there.

    Raises:
        GitError: it is in no git repository, git cannot be asked, or the history is cut off too early to know.
    """
    workspace = _workspace(root, environment)
    repository = workspace.repository
    specs = {flow: plan.spec_path for (flow, name), plan in compiled.plans.items() if name == environment}
    there = digests_of(compiled, environment)
    head = repository.head() if repository.has_commits else None
    files = entries(repository, head, workspace.folder) if head else []
    owners = Owners(specs, links_of(repository, files))
    own, shared = _uncommitted(workspace, owners)
    # What git ignores is not in the commit, and not uncommitted either.
    in_head = {flow: path for flow, path in specs.items() if path in {entry.path for entry in files}}
    committed = _committed(workspace, head, in_head, there, {*own, *shared})
    commits = _walk(workspace, owners, head, committed) if head else {}
    by_plan = {flow: shared[flow] for flow in specs if committed.get(flow) != there[flow]}
    unknown = {flow: {path} for flow, path in specs.items() if flow not in commits}
    changed = {flow: {*own[flow], *by_plan.get(flow, ())} or unknown.get(flow, set()) for flow in specs}
    return {flow: Pin(commits.get(flow), _absolute(root, changed[flow])) for flow in specs}


def _workspace(root: Path, environment: str) -> _Workspace:
    """The workspace in the repository around it.

    Raises:
        GitError: there is none, or git cannot be asked.
    """
    repository = Repository.around(root)
    if repository is None:
        raise GitError(f"`{root}` is in no git repository, so no commit can be named for its flows")
    return _Workspace(repository, root.resolve(), environment)


def _absolute(root: Path, paths: set[str]) -> tuple[Path, ...]:
    return tuple(root.absolute() / path for path in sorted(paths))


def _uncommitted(workspace: _Workspace, owners: Owners) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """What is not committed, by flow: of what is its own, and of what it inherits from."""
    own: dict[str, list[str]] = defaultdict(list)
    shared: dict[str, list[str]] = defaultdict(list)
    for file in workspace.repository.uncommitted(workspace.root):
        path = file.relative_to(workspace.root).as_posix()
        touched = owners.touched([path])
        for flow in touched.own:
            own[flow].append(path)
        for flow in touched.shared:
            shared[flow].append(path)
    return own, shared


def _committed(
    workspace: _Workspace, head: str | None, specs: Mapping[str, str], there: Digests, dirty: set[str]
) -> Digests:
    """The digests of the last commit: those of the files that lie there, but for what is not committed."""
    if head is None:
        return {}
    clean = {flow: there[flow] for flow in specs if flow not in dirty}
    return {**clean, **workspace.digests_at(head, {flow: specs[flow] for flow in specs if flow in dirty})}


def _walk(workspace: _Workspace, owners: Owners, head: str, committed: Digests) -> dict[str, str]:
    """The pins of the flows of the last commit."""
    history = commits_of(workspace.repository, head, workspace.folder)
    compiled_at = partial(_same_at, workspace, owners, committed)
    pins: dict[str, str] = {}
    # Where each flow is on its way back; all of it is like the last commit.
    at: dict[str, set[str]] = defaultdict(set)
    if history:
        at[history[0].id] = set(committed)
    for commit in history:
        changed_here = _step(commit, at, owners, compiled_at)
        pins |= dict.fromkeys(changed_here, commit.id)
    _check_known(workspace.repository, pins)
    return pins


def _step(
    commit: Commit, at: dict[str, set[str]], owners: Owners, same_at: Callable[[str, frozenset[str]], set[str]]
) -> set[str]:
    """Let the flows that are at a commit go on to its parents; those that none of these has like that remain."""
    here = at.pop(commit.id, set())
    for parent in commit.parents if here else ():
        own, shared = owners.touched(commit.changed_since(parent))
        same = (here - own - shared) | same_at(parent, shared & here)
        at[parent] |= same
        here = here - same
    return here


def _same_at(workspace: _Workspace, owners: Owners, committed: Digests, commit: str, flows: frozenset[str]) -> set[str]:
    """Those of some flows whose plan in a commit is that of the last one."""
    digests = workspace.digests_at(commit, {flow: owners.specs[flow] for flow in flows})
    return {flow for flow in flows if digests.get(flow) == committed[flow]}


def _check_known(repository: Repository, pins: Mapping[str, str]) -> None:
    """A commit whose parents are cut off is named only because nothing before it is known.

    Raises:
        GitError: there is such a pin.
    """
    cut_off = repository.shallow_commits()
    unknown = sorted(flow for flow, commit in pins.items() if commit in cut_off)
    if unknown:
        more = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
        hint = "clone all of it: `git fetch --unshallow`, or `fetch-depth: 0` for actions/checkout"
        raise GitError(f"this clone's history is cut off before the last change of `{unknown[0]}`{more}; {hint}")
