"""`flowmill rollback`: let an environment be again as it was registered earlier."""

import json
import sys
from typing import TYPE_CHECKING

import click

from flowmill.commands._carrying_out import carried_out, is_within
from flowmill.commands._declared import workspace_spec
from flowmill.commands._options import COLOUR, ENVIRONMENT, style_for, write
from flowmill.commands._outlook import unfetchable
from flowmill.commands._server import kept_of, server

if TYPE_CHECKING:
    from flowmill.backend.register import Outlook
    from flowmill.backend.server import Server
    from flowmill.registering.kept import Kept


@click.command("rollback", short_help="Return an environment to an earlier manifest.")
@ENVIRONMENT
@click.option("--to", "wanted", metavar="N|COMMIT|DIGEST", help="Which one; the last that is not what is there now.")
@click.option("--list", "listed", is_flag=True, help="Show the manifests that are kept, and change nothing.")
@click.option("--dry-run", is_flag=True, help="Show what would be done, and change nothing.")
@click.option("--max-delete", type=click.IntRange(0), default=5, show_default=True, help="Refuse to delete more.")
@click.option("--format", "output", type=click.Choice(["text", "json"]), default="text", help="Of the list.")
@COLOUR
def command(
    environment: str,
    wanted: str | None,
    listed: bool,
    dry_run: bool,
    max_delete: int,
    output: str,
    colour: bool | None,
) -> int:
    """Let the Prefect server have the deployments of an environment as they were registered earlier.

    The last 20 manifests of an environment are kept on the server, so no specs are needed but flowmill.yaml. N
    counts back from the newest, which is 0; commits and digests may be cut short. Deployments that the manifest
    does not have are deleted. What was switched off on the server stays off, as with register.

    \b
    Examples:
      flowmill rollback --env production --list
      flowmill rollback --env production --dry-run
      flowmill rollback --env production --to 8c1f0d2
    """
    with server() as connection:
        kept = kept_of(connection, environment)
        if listed:
            _show(kept, output)
            return 0
        outlook = _outlook(connection, kept, wanted, colour)
        if outlook.errors or not is_within(outlook, max_delete):
            return 1
        return 0 if dry_run else carried_out(connection, outlook, parallel=1)


def _show(kept: "list[Kept]", output: str) -> None:
    from flowmill.report.kept import as_data, as_text

    write(json.dumps(as_data(kept), indent=2, ensure_ascii=False) + "\n" if output == "json" else as_text(kept))


def _outlook(connection: "Server", kept: "list[Kept]", wanted: str | None, colour: bool | None) -> "Outlook":
    """What rolling back would do, which is printed.

    Raises:
        click.ClickException: no manifest is meant, or it cannot be read.
    """
    from dataclasses import replace

    from flowmill.backend.register import look
    from flowmill.registering.kept import NotKept, chosen
    from flowmill.registering.manifest import ManifestError
    from flowmill.registering.rollback import limits_of
    from flowmill.report.kept import target_of
    from flowmill.report.outlook import as_text

    try:
        target = chosen(kept, wanted)
        manifest = target.manifest()
    except (NotKept, ManifestError) as error:
        raise click.ClickException(f"{error}; `--list` shows what is kept") from None
    outlook = look(connection, manifest, prune=True)
    limits = (*limits_of(manifest, target), *unfetchable(workspace_spec(), manifest))
    outlook = replace(outlook, by="rollback", obstacles=(*outlook.obstacles, *limits))
    write(target_of(target) + as_text(outlook, style_for(sys.stdout, colour)))
    return outlook
