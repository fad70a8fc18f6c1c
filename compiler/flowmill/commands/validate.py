"""`flowmill validate`: prove specs, without a server, a network, Docker or Prefect."""

import sys
from pathlib import Path

import click

from flowmill.commands._options import COLOUR, FORMAT, PATHS, style_for, workspace_of, write


@click.command("validate")
@PATHS
@FORMAT
@COLOUR
def command(paths: tuple[Path, ...], output: str, colour: bool | None) -> int:
    """Prove every spec, for every environment that it names, and the files with tests beside them.

    PATHS are specs or folders; without any, the whole workspace around the working directory.

    \b
    Examples:
      flowmill validate
      flowmill validate specs/mobility/trips.yaml
      flowmill validate --format github        annotations in a pull request
    """
    from flowmill.pipeline import compile_workspace
    from flowmill.report import render
    from flowmill.testing.files import with_tests
    from flowmill.workspace import with_flows_of_tests
    from flowmill_tasks.registry import discover

    root, only = workspace_of(paths)
    compiled = with_tests(compile_workspace(root, with_flows_of_tests(only)), root, discover())
    write(render(compiled, output, style_for(sys.stdout, colour)))
    return 1 if compiled.errors else 0
