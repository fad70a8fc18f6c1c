"""`flowmill validate`: prove specs, without a server, a network, Docker or Prefect."""

import sys
from pathlib import Path

import click

from flowmill.commands._options import COLOUR, FORMAT, PATHS, style_for, workspace_of, write


@click.command("validate")
@PATHS
@click.option("--strict", is_flag=True, help="Fail on warnings as well.")
@FORMAT
@COLOUR
def command(paths: tuple[Path, ...], strict: bool, output: str, colour: bool | None) -> int:
    """Prove every spec, for every environment that it names, and the files with tests beside them.

    Rules find what is probably a mistake; `lint` in flowmill.yaml turns them off or makes them stricter, and rules
    about all flows together are only asked when all of them are looked at.

    PATHS are specs or folders; without any, the whole workspace around the working directory.

    \b
    Examples:
      flowmill validate
      flowmill validate specs/mobility/trips.yaml
      flowmill validate --strict               in CI: warnings fail as well
      flowmill validate --format github        annotations in a pull request
    """
    from flowmill.proving import prove
    from flowmill.report import render

    compiled = prove(*workspace_of(paths))
    write(render(compiled, output, style_for(sys.stdout, colour)))
    return 1 if compiled.errors or (strict and compiled.warnings) else 0
