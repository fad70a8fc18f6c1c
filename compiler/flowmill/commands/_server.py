"""The Prefect server that verbs talk to, and what it keeps of the workspace."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from flowmill.commands._declared import workspace_spec

if TYPE_CHECKING:
    from flowmill.backend.server import Server
    from flowmill.registering.kept import Kept


@contextmanager
def server() -> "Iterator[Server]":
    """The configured server, whose failures are messages."""
    from flowmill.backend.server import ServerError, configured

    try:
        with configured() as found:
            yield found
    except ServerError as error:
        raise click.ClickException(str(error)) from None


def kept_of(connection: "Server", environment: str) -> "list[Kept]":
    """The manifests that the server keeps of an environment of this workspace, the newest first; at least one.

    Raises:
        click.ClickException: it keeps none, or nothing says whose they are.
    """
    from flowmill.backend.manifests import kept_manifests
    from flowmill.registering.declaring import Undeclarable, workspace_name
    from flowmill.suggest import did_you_mean

    workspace = workspace_spec()
    try:
        kept = kept_manifests(connection, workspace_name(workspace), environment)
    except Undeclarable as error:
        raise click.ClickException(str(error)) from None
    if kept:
        return kept
    if environment not in workspace.environments:
        hint = did_you_mean(environment, workspace.environments)
        raise click.ClickException(f"there is no environment `{environment}`; {hint}")
    what = f"the Prefect server at {connection.address} keeps no manifest of `{environment}`"
    raise click.ClickException(f"{what}; `flowmill register --env {environment}` keeps one")
