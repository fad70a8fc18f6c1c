"""`flowmill test`: run the tests beside the specs, without a server, a network, Docker or Prefect."""

import sys
from pathlib import Path

import click

from flowmill.commands._options import COLOUR, FORMAT, PATHS, style_for, workspace_of, write


@click.command("test", short_help="Run the tests that lie beside the specs.")
@PATHS
@click.option("-k", "name_part", metavar="NAME", default="", help="Only tests whose name has this in it.")
@click.option("-v", "--verbose", is_flag=True, help="Name the tests that have passed, too.")
@FORMAT
@COLOUR
def command(paths: tuple[Path, ...], name_part: str, verbose: bool, output: str, colour: bool | None) -> int:
    """Run the tests of flows: what lies beside <flow>.yaml as <flow>.test.yaml.

    PATHS are specs, files with tests, or folders; without any, the whole workspace around the working directory.
    No step is started but those that a test names as real; mails and messages are looked at and not sent.

    \b
    Examples:
      flowmill test
      flowmill test specs/mobility/trips.yaml -v
      flowmill test -k "the day after"
    """
    from flowmill.report import render_tests
    from flowmill.testing.suite import run_tests

    root, only = workspace_of(paths)
    tested = run_tests(root, only, name_part)
    if name_part and not tested.tests and not tested.compiled.errors:
        raise click.UsageError(f"no test's name has `{name_part}` in it")
    write(render_tests(tested, output, style_for(sys.stdout, colour), verbose=verbose))
    return 1 if tested.compiled.errors else 0
