"""A workspace as it is in a commit or lies in the work tree, compiled."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from flowmill.diagnostics import Diagnostic, Related, Span
from flowmill.history.extract import extracted
from flowmill.history.repository import Repository
from flowmill.pipeline import Compiled, compile_files
from flowmill.workspace import WORKSPACE_FILE, Files, FlowFile, load
from flowmill_tasks.registry import Registry

WORK_TREE = "the work tree"


@dataclass(frozen=True)
class Version:
    """One of the two sides of a comparison.

    Attributes:
        name: how the user called it.
        files: what was read; trees and specs stay usable when the folder is gone.
        compiled: what became of it, with places that name the version.
    """

    name: str
    files: Files
    compiled: Compiled

    @property
    def is_empty(self) -> bool:
        """Whether there was no workspace yet."""
        return self.files.tree is None and not self.compiled.errors

    @cached_property
    def flows(self) -> Mapping[str, FlowFile]:
        """The files of its flows, by `<project>.<flow>`."""
        return {flow.full_name: flow for flow in self.files.flows}


def of_work_tree(root: Path, registry: Registry) -> Version:
    """The workspace as it lies on disk."""
    files = load(root)
    return Version(WORK_TREE, files, compile_files(files, registry))


def of_commit(repository: Repository, root: Path, ref: str, registry: Registry) -> Version:
    """The workspace as it is in a commit, which may have none.

    Args:
        root: where the workspace lies in the work tree.
        ref: a branch, a tag, or any other name that git has for a commit.

    Raises:
        GitError: there is no such commit, or git cannot be asked.
    """
    commit = repository.commit(ref)
    path = root.resolve().relative_to(repository.root).as_posix()
    folder = "" if path == "." else path
    with extracted(repository, commit, folder) as copy:
        if not (copy / WORKSPACE_FILE).exists():
            return Version(ref, Files(copy), Compiled({}, (), 0))
        files = load(copy)
        compiled = compile_files(files, registry)
        shown = f"{ref}:{folder}/" if folder else f"{ref}:"
        return Version(ref, files, _renamed(compiled, f"{copy}/", shown))


def _renamed(compiled: Compiled, old: str, new: str) -> Compiled:
    """The same with the places in the commit instead of those in the copy, which is about to go away."""

    def text(words: str) -> str:
        return words.replace(old, new)

    def span(place: Span) -> Span:
        return replace(place, path=text(place.path))

    def diagnostic(it: Diagnostic) -> Diagnostic:
        related = tuple(Related(span(other.span), text(other.message)) for other in it.related)
        return replace(it, span=span(it.span), message=text(it.message), hint=text(it.hint), related=related)

    return replace(compiled, diagnostics=tuple(map(diagnostic, compiled.diagnostics)))
