"""`flowmill register`: make a Prefect server have the deployments that the specs of an environment declare."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flowmill.commands._carrying_out import carried_out, is_within
from flowmill.commands._declared import declared, refuse_uncommitted
from flowmill.commands._options import COLOUR, style_for, write
from flowmill.commands._outlook import look_from_specs, with_history
from flowmill.commands._saved_plan import look_again, read
from flowmill.commands._server import server

if TYPE_CHECKING:
    from flowmill.backend.register import Outlook
    from flowmill.backend.server import Server
    from flowmill.registering.targets import Target


@dataclass(frozen=True)
class _How:
    """What the options say about carrying it out."""

    create: bool
    max_delete: int
    parallel: int
    colour: bool | None


@click.command("register", short_help="Register the flows of an environment on the server.")
@click.option("--env", "environment", help="The environment.")
@click.option("--plan", type=click.Path(dir_okay=False, path_type=Path), help="Do what `flowmill plan --out` saved.")
@click.option("--create", is_flag=True, help="Make work pools and queues that are missing.")
@click.option("--prune", is_flag=True, help="Delete deployments whose spec is gone.")
@click.option("--max-delete", type=click.IntRange(0), default=5, show_default=True, help="Refuse to delete more.")
@click.option("--adopt", is_flag=True, help="Take over deployments that were made otherwise.")
@click.option("--from-older", is_flag=True, help="Register although a later commit was registered already.")
@click.option(
    "--parallel", type=click.IntRange(1, 16), default=1, show_default=True, help="Writes at once; more for PostgreSQL."
)
@COLOUR
def command(
    environment: str | None,
    plan: Path | None,
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
    stays off. Run it again after an interruption: it goes on where it ended. A saved plan needs no specs, and is
    refused when the server has moved on.

    \b
    Examples:
      flowmill register --env staging --create
      flowmill register --env production --prune --max-delete 2
      flowmill register --plan production.plan
    """
    how = _How(create, max_delete, parallel, colour)
    if plan:
        if create or prune or adopt or from_older:
            raise click.UsageError("how to register stands in the plan; give its options to `flowmill plan`")
        return _saved(plan, environment, how)
    if environment is None:
        raise click.UsageError("name an environment with `--env`, or a saved plan with `--plan`")
    return _declared(environment, how, prune=prune, adopt=adopt, from_older=from_older)


def _saved(plan: Path, environment: str | None, how: _How) -> int:
    saved = read(plan, environment)
    how = _How(saved.create, how.max_delete, how.parallel, how.colour)
    with server() as connection:
        limits = {(pool, queue): limit for pool, queue, limit in saved.queues}
        return _register(connection, look_again(connection, saved), limits, how)


def _declared(environment: str, how: _How, *, prune: bool, adopt: bool, from_older: bool) -> int:
    found = declared(environment, how.colour)
    if found is None:
        return 1
    refuse_uncommitted(found.manifest)
    from flowmill.registering.targets import queue_limits

    with server() as connection:
        outlook = look_from_specs(connection, found, prune=prune, adopt=adopt)
        outlook = with_history(outlook, found.workspace, from_older=from_older)
        return _register(connection, outlook, queue_limits(found.workspace, environment), how)


def _register(connection: "Server", outlook: "Outlook", limits: "Mapping[Target, int | None]", how: _How) -> int:
    from flowmill.backend.register import create_missing
    from flowmill.report.outlook import as_text

    made: list[str] = []
    if how.create:
        outlook, made = create_missing(connection, outlook, limits)
    write("".join(f"made: {name}\n" for name in made))
    write(as_text(outlook, style_for(sys.stdout, how.colour)))
    if outlook.errors or not is_within(outlook, how.max_delete):
        return 1
    return carried_out(connection, outlook, how.parallel)
