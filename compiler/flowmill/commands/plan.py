"""`flowmill plan`: what `flowmill register` would do."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flowmill.commands._declared import declared, refuse_uncommitted
from flowmill.commands._options import COLOUR, ENVIRONMENT, TEXT_OR_JSON, Detailed, style_for, write
from flowmill.commands._outlook import look_from_specs, with_history
from flowmill.commands._saved_plan import save
from flowmill.commands._server import server

if TYPE_CHECKING:
    from flowmill.backend.register import Outlook

CHANGES = 2


@click.command("plan", cls=Detailed, short_help="Show what registering would change on the server.")
@ENVIRONMENT
@click.option("--create", is_flag=True, help="Missing work pools and queues would be made.")
@click.option("--prune", is_flag=True, help="Delete deployments whose spec is gone.")
@click.option("--adopt", is_flag=True, help="Take over deployments that were made otherwise.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Save the plan, to be registered as it is."
)
@TEXT_OR_JSON
@COLOUR
def command(
    environment: str, create: bool, prune: bool, adopt: bool, out: Path | None, output: str, colour: bool | None
) -> int:
    """Compare the specs of an environment with the Prefect server that PREFECT_API_URL names. Nothing is written.

    The exit code is 0 where nothing would change, 2 where something would, and 1 on an error.

    \b
    Examples:
      flowmill plan --env staging
      flowmill plan --env production --prune --format json
      flowmill plan --env production --out production.plan
      flowmill register --plan production.plan
    """
    found = declared(environment, colour)
    if found is None:
        return 1
    if out:
        refuse_uncommitted(found.manifest)
    with server() as connection:
        outlook = look_from_specs(connection, found, prune=prune, adopt=adopt)
        # What is saved is applied as it is, so nothing of it may be a mere warning here and an error then.
        outlook = with_history(outlook, found.workspace, planned=out is None)
        outlook = outlook.creating() if create else outlook
    _show(outlook, output, colour)
    if outlook.errors:
        return 1
    if out:
        save(out, outlook, found.workspace, create=create)
    return CHANGES if outlook.to_do else 0


def _show(outlook: "Outlook", output: str, colour: bool | None) -> None:
    from flowmill.report.outlook import as_data, as_text

    as_json = json.dumps(as_data(outlook), indent=2, ensure_ascii=False) + "\n"
    write(as_json if output == "json" else as_text(outlook, style_for(sys.stdout, colour)))
