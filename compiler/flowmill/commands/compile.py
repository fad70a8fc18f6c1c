"""`flowmill compile`: print what was decided about each flow, as JSON."""

import sys
from pathlib import Path

import click

from flowmill.commands._options import COLOUR, PATHS, style_for, workspace_of, write


@click.command("compile", short_help="Print what was decided about each flow, as JSON.")
@PATHS
@click.option("--env", "environment", help="Only this environment.")
@COLOUR
def command(paths: tuple[Path, ...], environment: str | None, colour: bool | None) -> int:
    """Print the plan of each flow: every default applied, every constant put in; the same bytes everywhere.

    \b
    Examples:
      flowmill compile specs/mobility/trips.yaml --env production
    """
    from flowmill.pipeline import compile_workspace
    from flowmill.report import render

    root, only = workspace_of(paths)
    compiled = compile_workspace(root, only)
    if compiled.errors:
        write(render(compiled, "text", style_for(sys.stderr, colour)), sys.stderr)
        return 1
    plans = [plan for (_, name), plan in sorted(compiled.plans.items()) if environment in (None, name)]
    write("[\n" + ",\n".join(plan.to_json().rstrip() for plan in plans) + "\n]\n")
    return 0
