"""`flowmill drift`: what has been changed on a Prefect server since an environment was registered."""

import json
import sys
from typing import TYPE_CHECKING

import click

from flowmill.commands._options import COLOUR, ENVIRONMENT, TEXT_OR_JSON, Detailed, style_for, write
from flowmill.commands._server import kept_of, server

if TYPE_CHECKING:
    from flowmill.report.drift import Looked

DRIFTED = 2


@click.command("drift", cls=Detailed, short_help="Show what was changed on the server by hand.")
@ENVIRONMENT
@TEXT_OR_JSON
@COLOUR
def command(environment: str, output: str, colour: bool | None) -> int:
    """Compare an environment on the Prefect server with what was registered last. Nothing is written.

    Of the specs only flowmill.yaml is read: what was registered is kept on the server. The exit code is 0 where
    nothing has changed since, 2 where something has, and 1 on an error.

    \b
    Examples:
      flowmill drift --env production
      flowmill drift --env production --format json
    """
    from flowmill.report.drift import as_data, as_text

    found = _looked(environment)
    if output == "json":
        write(json.dumps(as_data(found), indent=2, ensure_ascii=False) + "\n")
    else:
        write(as_text(found, style_for(sys.stdout, colour)))
    return DRIFTED if found.drifts else 0


def _looked(environment: str) -> "Looked":
    """
    Raises:
        click.ClickException: nothing is kept, or it cannot be read.
    """
    from flowmill.registering.drift import drift_between
    from flowmill.registering.manifest import ManifestError
    from flowmill.report.drift import Looked

    with server() as connection:
        last = kept_of(connection, environment)[0]
        lives = connection.deployments(environment)
        try:
            manifest = last.manifest()
        except ManifestError as error:
            raise click.ClickException(f"{error}; `flowmill register --env {environment}` keeps it anew") from None
        return Looked(connection.address, last, manifest, drift_between(manifest, lives))
