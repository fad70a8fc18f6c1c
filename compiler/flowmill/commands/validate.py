"""`flowmill validate`: prove specs, without a server, a network, Docker or Prefect."""

import sys
from pathlib import Path

import click

from flowmill.commands._fixing import fixed, shown
from flowmill.commands._options import COLOUR, FORMAT, PATHS, style_for, workspace_of, write


@click.command("validate")
@PATHS
@click.option("--strict", is_flag=True, help="Fail on warnings as well.")
@click.option("--fix", "way", flag_value="fix", help="Write what can be fixed safely, then report what is left.")
@click.option("--diff", "way", flag_value="diff", help="Show what --fix would write, and write nothing.")
@FORMAT
@COLOUR
def command(paths: tuple[Path, ...], strict: bool, way: str | None, output: str, colour: bool | None) -> int:
    """Prove every spec, for every environment that it names, and the files with tests beside them.

    Rules find what is probably a mistake; `lint` in flowmill.yaml turns them off or makes them stricter, and rules
    about all flows together are only asked when all of them are looked at.

    PATHS are specs or folders; without any, the whole workspace around the working directory.

    \b
    Examples:
      flowmill validate
      flowmill validate specs/mobility/trips.yaml
      flowmill validate --strict               in CI: warnings fail as well
      flowmill validate --diff                 what can be fixed, as a diff
      flowmill validate --fix
      flowmill validate --format github        annotations in a pull request
    """
    from flowmill.proving import prove
    from flowmill.report import render

    root, only = workspace_of(paths)
    stream, done = sys.stdout, True
    if way == "fix":
        compiled, done = fixed(root, only, output, colour)
    elif way == "diff":
        stream = sys.stderr  # so that the diff can be applied
        compiled, done = shown(root, only, colour)
    else:
        compiled = prove(root, only)
    write(render(compiled, output, style_for(stream, colour)), stream)
    return 1 if compiled.errors or (strict and compiled.warnings) or not done else 0
