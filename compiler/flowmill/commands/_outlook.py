"""What registering would do, with all that speaks against it: on the server, and in git."""

from typing import TYPE_CHECKING

import click

from flowmill.commands._declared import FromSpecs, root_folder

if TYPE_CHECKING:
    from flowmill.backend.register import Outlook
    from flowmill.backend.server import Server
    from flowmill.registering.manifest import Manifest
    from flowmill.registering.preflight import Obstacle
    from flowmill.spec.workspace import Workspace


def look_from_specs(connection: "Server", found: FromSpecs, *, prune: bool, adopt: bool) -> "Outlook":
    """What registering the specs would do; nothing is written."""
    from flowmill.backend.register import look
    from flowmill.secrets.needs import needs
    from flowmill_tasks.registry import discover

    return look(connection, found.manifest, needs(found.plans, discover()), prune=prune, adopt=adopt)


def with_history(
    outlook: "Outlook", workspace: "Workspace", *, planned: bool = False, from_older: bool = False
) -> "Outlook":
    """The outlook with what git says against registering it.

    Args:
        planned: nothing is an error yet: plans are often made before the push.
        from_older: an older commit than the last one is no error.

    Raises:
        click.ClickException: git cannot be asked.
    """
    from dataclasses import replace

    from flowmill.history.git import GitError
    from flowmill.registering.ancestry import older_than_registered, rolled_back
    from flowmill.registering.preflight import as_warnings
    from flowmill.registering.reachable import not_fetchable

    root, manifest, last = root_folder(), outlook.manifest, outlook.last
    try:
        older = [*older_than_registered(root, manifest, last)]
        unknown = [*not_fetchable(root, workspace.repository, manifest)]
    except GitError as error:
        raise click.ClickException(str(error)) from None
    older = as_warnings(older) if planned or from_older else older
    unknown = as_warnings(unknown) if planned else unknown
    return replace(outlook, obstacles=(*outlook.obstacles, *older, *unknown, *rolled_back(manifest, last)))


def unfetchable(workspace: "Workspace", manifest: "Manifest") -> "list[Obstacle]":
    """Warnings about commits that workers may not find any more; none where there is no git to ask."""
    from flowmill.history.git import GitError
    from flowmill.registering.preflight import as_warnings
    from flowmill.registering.reachable import not_fetchable

    try:
        return as_warnings(not_fetchable(root_folder(), workspace.repository, manifest))
    except GitError:
        return []
