"""`flowmill site`: the catalogue of all flows as pages."""

import sys
from pathlib import Path

import click

from flowmill.commands._options import COLOUR, style_for, workspace_of, write
from flowmill.commands._start import start_of, zone_of


@click.command("site", short_help="Write the catalogue of all flows as web pages.")
@click.option(
    "--out",
    "folder",
    type=click.Path(path_type=Path),
    default=Path("site"),
    show_default=True,
    help="The folder to write; one that holds other files is left alone.",
)
@click.option("--from", "start", metavar="DATE", help="Count the next times from there; the default is now.")
@COLOUR
def command(folder: Path, start: str | None, colour: bool | None) -> int:
    """Write a page for every flow, project and server of the workspace, and an index to search and filter.

    The pages need neither a server nor a network: open index.html in a browser, or copy the folder to any web
    server. They hold the names of secrets, never a value. The same specs and the same DATE, in the workspace's
    zone, give the same bytes.

    \b
    Examples:
      flowmill site
      flowmill site --out public/flows
      flowmill site --from 2026-12-01
    """
    from flowmill.pipeline import compile_files
    from flowmill.report import render
    from flowmill.workspace import load
    from flowmill_tasks.registry import discover

    root, _ = workspace_of(())
    files, registry = load(root), discover()
    compiled = compile_files(files, registry)
    if compiled.errors:
        write(render(compiled, "text", style_for(sys.stderr, colour)), sys.stderr)
        return 1
    from flowmill.counted import counted
    from flowmill.site.catalogue import catalogue
    from flowmill.site.pages import pages

    begin = start_of(start, zone_of(files.spec), "write it as").replace(second=0, microsecond=0)
    made = catalogue(files, compiled, registry, begin)
    found = pages(made)
    _write(folder, found)
    count = sum(name.endswith(".html") for name in found)
    write(f"{counted(count, 'page')} about {counted(len(made.flows), 'flow')}: open {folder / 'index.html'}\n")
    return 0


def _write(folder: Path, found: dict[str, bytes]) -> None:
    from flowmill.site.folder import NotOurs, write_folder

    try:
        write_folder(folder, found)
    except NotOurs as refused:
        raise click.ClickException(f"{refused}; name another folder with `--out`") from None
    except OSError as error:
        raise click.ClickException(f"cannot write `{folder}`: {error.strerror}") from None
