"""Two versions of a workspace, for verbs that compare commits."""

import sys
from typing import TYPE_CHECKING

import click

from flowmill.commands._options import style_for, workspace_of, write

if TYPE_CHECKING:
    from flowmill.history.versions import Version
    from flowmill_tasks.registry import Registry


def versions(before: str, after: str | None, registry: "Registry") -> "tuple[Version, Version]":
    """Both sides, compiled.

    Raises:
        click.UsageError: there is no workspace, or no such commit.
        click.ClickException: git cannot be asked, or the workspace is in no repository.
    """
    from flowmill.history.git import GitError
    from flowmill.history.repository import Repository, UnknownRef
    from flowmill.history.versions import of_commit, of_work_tree
    from flowmill.report.style import printable

    root, _ = workspace_of(())
    try:
        repository = Repository.around(root)
        if repository is None:
            raise click.ClickException(f"`{root}` is in no git repository: there is nothing to compare with")
        old = of_commit(repository, root, before, registry)
        return old, of_work_tree(root, registry) if after is None else of_commit(repository, root, after, registry)
    except UnknownRef as error:
        raise click.UsageError(printable(str(error))) from None
    except GitError as error:
        raise click.ClickException(printable(str(error))) from None


def is_right(version: "Version", colour: bool | None) -> bool:
    """Whether a version compiles; if not, its mistakes are printed."""
    from flowmill.report import render
    from flowmill.report.style import printable

    if version.is_empty:
        write(f"there is no flowmill.yaml in {printable(version.name)}: every flow counts as new there\n", sys.stderr)
    if not version.compiled.errors:
        return True
    write(f"{printable(version.name)} does not compile, so nothing can be compared:\n\n", sys.stderr)
    write(render(version.compiled, "text", style_for(sys.stderr, colour)), sys.stderr)
    return False
