"""`flowmill register`: make a Prefect server have the deployments that the specs of an environment declare."""

import sys
from typing import TYPE_CHECKING

import click

from flowmill.commands._carrying_out import Progress, is_within, told_problems
from flowmill.commands._options import COLOUR, style_for, write
from flowmill.commands._registering import ENVIRONMENT, declared, server, with_history

if TYPE_CHECKING:
    from flowmill.registering.manifest import Manifest


@click.command("register", short_help="Register the flows of an environment on the server.")
@ENVIRONMENT
@click.option("--create", is_flag=True, help="Make work pools and queues that are missing.")
@click.option("--prune", is_flag=True, help="Delete deployments whose spec is gone.")
@click.option("--max-delete", type=click.IntRange(0), default=5, show_default=True, help="Refuse to delete more.")
@click.option("--adopt", is_flag=True, help="Take over deployments that were made otherwise.")
@click.option("--from-older", is_flag=True, help="Register although a later commit was registered already.")
@click.option("--parallel", type=click.IntRange(1, 16), default=1, show_default=True, help="Writes at once.")
@COLOUR
def command(
    environment: str,
    create: bool,
    prune: bool,
    max_delete: int,
    adopt: bool,
    from_older: bool,
    parallel: int,
    colour: bool | None,
) -> int:
    """Register every flow of an environment on the Prefect server that PREFECT_API_URL names.

    All specs are proved first. What is on the server already is left alone; what somebody has switched off there
    stays off. Run it again after an interruption: it goes on where it ended.

    \b
    Examples:
      flowmill register --env staging --create
      flowmill register --env production --prune --max-delete 2
    """
    found = declared(environment, colour)
    if found is None:
        return 1
    workspace, manifest = found
    _refuse_uncommitted(manifest)
    from flowmill.backend.register import automate, carry_out, create_missing, look
    from flowmill.report.outlook import as_text

    with server() as connection:
        outlook = look(connection, manifest, prune=prune, adopt=adopt)
        outlook = with_history(outlook, workspace, from_older=from_older)
        made: list[str] = []
        if create:
            outlook, made = create_missing(connection, outlook, workspace)
        write("".join(f"made: {name}\n" for name in made))
        write(as_text(outlook, style_for(sys.stdout, colour)))
        if outlook.errors or not is_within(outlook, max_delete):
            return 1
        done = carry_out(connection, outlook, parallel, Progress(len(outlook.to_do)))
        automate(outlook)
    return told_problems(done)


def _refuse_uncommitted(manifest: "Manifest") -> None:
    if manifest.storage == "local" or not (manifest.changed or _without_commit(manifest)):
        return
    names = ", ".join(f"`{it}`" for it in (*manifest.changed[:3], *_without_commit(manifest)[:3]))
    hint = "commit and push them, so that what is registered is what runs"
    raise click.ClickException(f"not committed: {names}; {hint}")


def _without_commit(manifest: "Manifest") -> tuple[str, ...]:
    if manifest.pin == "branch":
        return ()
    return tuple(it.spec for it in manifest.deployments.values() if it.commit is None)
