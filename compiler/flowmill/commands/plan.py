"""`flowmill plan`: what `flowmill register` would do."""

import json
import sys

import click

from flowmill.commands._options import COLOUR, style_for, write
from flowmill.commands._registering import ENVIRONMENT, Detailed, declared, server, with_history

CHANGES = 2


@click.command("plan", cls=Detailed, short_help="Show what registering would change on the server.")
@ENVIRONMENT
@click.option("--prune", is_flag=True, help="Delete deployments whose spec is gone.")
@click.option("--adopt", is_flag=True, help="Take over deployments that were made otherwise.")
@click.option("--format", "output", type=click.Choice(["text", "json"]), default="text", show_default=True)
@COLOUR
def command(environment: str, prune: bool, adopt: bool, output: str, colour: bool | None) -> int:
    """Compare the specs of an environment with the Prefect server that PREFECT_API_URL names. Nothing is written.

    The exit code is 0 where nothing would change, 2 where something would, and 1 on an error.

    \b
    Examples:
      flowmill plan --env staging
      flowmill plan --env production --prune --format json
    """
    found = declared(environment, colour)
    if found is None:
        return 1
    from flowmill.backend.register import look
    from flowmill.report.outlook import as_data, as_text

    with server() as connection:
        outlook = with_history(look(connection, found[1], prune=prune, adopt=adopt), found[0], planned=True)
    if output == "json":
        write(json.dumps(as_data(outlook), indent=2, ensure_ascii=False) + "\n")
    else:
        write(as_text(outlook, style_for(sys.stdout, colour)))
    if outlook.errors:
        return 1
    return CHANGES if outlook.to_do else 0
