"""`flowmill validate`: prove specs, without a server, a network, Docker or Prefect."""

import sys
from pathlib import Path

import click

from flowmill.commands._options import COLOUR, PATHS, style_for, workspace_of, write


class _Format(click.ParamType[str]):
    """The name of an output format; looked up late, so that the other verbs start fast."""

    name = "format"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return f"[{'|'.join(_formats())}]"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value not in _formats():
            self.fail(f"`{value}` is not a format; there are: {', '.join(_formats())}", param, ctx)
        return value


def _formats() -> list[str]:
    from flowmill import report

    return report.names()


@click.command("validate")
@PATHS
@click.option("--format", "output", type=_Format(), default="text", show_default=True, help="How to print problems.")
@COLOUR
def command(paths: tuple[Path, ...], output: str, colour: bool | None) -> int:
    """Prove every spec, for every environment that it names.

    PATHS are specs or folders; without any, the whole workspace around the working directory.

    \b
    Examples:
      flowmill validate
      flowmill validate specs/mobility/trips.yaml
      flowmill validate --format github        annotations in a pull request
    """
    from flowmill.pipeline import compile_workspace
    from flowmill.report import render

    root, only = workspace_of(paths)
    compiled = compile_workspace(root, only)
    write(render(compiled, output, style_for(sys.stdout, colour)))
    return 1 if compiled.errors else 0
