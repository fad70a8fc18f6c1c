"""`flowmill schema`: the JSON Schemas for editors."""

from pathlib import Path

import click

from flowmill.commands._options import write


@click.command("schema", short_help="Write the JSON Schemas for editors.")
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("schema"),
    show_default=True,
    help="Where the schema files lie.",
)
@click.option("--check", is_flag=True, help="Write nothing; fail when a file is not what would be written.")
def command(folder: Path, check: bool) -> int:
    """Write the JSON Schemas of specs, with the step types that are installed here.

    \b
    Examples:
      flowmill schema                   write schema/*.json
      flowmill schema --check           in CI: are they up to date?
    """
    from flowmill.schema import schemas
    from flowmill_tasks.registry import discover

    made = schemas(discover())
    stale = [name for name, text in made.items() if not _is(folder / name, text)]
    if check:
        write("".join(f"{folder / name} is out of date: run `flowmill schema`\n" for name in stale))
        return 1 if stale else 0
    folder.mkdir(parents=True, exist_ok=True)
    for name in stale:
        (folder / name).write_text(made[name], encoding="utf-8")
    write(f"{len(made)} schemas in {folder}/, {len(stale)} of them new or changed\n")
    return 0


def _is(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text
