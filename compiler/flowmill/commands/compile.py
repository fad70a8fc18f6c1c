"""`flowmill compile`: print what was decided about each flow, or the manifest of an environment, as JSON."""

from pathlib import Path

import click

from flowmill.commands._compiled import compiled_or_told, plans_in
from flowmill.commands._declared import declared
from flowmill.commands._options import COLOUR, PATHS, write


@click.command("compile", short_help="Print what was decided about each flow, as JSON.")
@PATHS
@click.option("--env", "environment", help="Only this environment.")
@click.option("--manifest", "as_manifest", is_flag=True, help="The manifest of an environment: all its deployments.")
@COLOUR
def command(paths: tuple[Path, ...], environment: str | None, as_manifest: bool, colour: bool | None) -> int:
    """Print the plan of each flow: every default applied, every constant put in; the same bytes everywhere.

    With --manifest, print what `flowmill register` would let the server have: every deployment in full, the spec
    and the commit that it dates from, and a digest of it all. No server is asked.

    \b
    Examples:
      flowmill compile specs/mobility/trips.yaml --env production
      flowmill compile --manifest --env production
    """
    if as_manifest:
        return _manifest(paths, environment, colour)
    compiled = compiled_or_told(paths, colour)
    if compiled is None:
        return 1
    plans = sorted(plans_in(compiled, environment), key=lambda plan: (plan.name, plan.environment))
    write("[\n" + ",\n".join(plan.to_json().rstrip() for plan in plans) + "\n]\n")
    return 0


def _manifest(paths: tuple[Path, ...], environment: str | None, colour: bool | None) -> int:
    if paths:
        raise click.UsageError("a manifest is of all flows of an environment; leave the paths out")
    if environment is None:
        raise click.UsageError("a manifest is of one environment; name it with `--env`")
    found = declared(environment, colour)
    if found is None:
        return 1
    write(found.manifest.to_json())
    return 0
