"""What several verbs take, and how they find the workspace and print."""

import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TextIO

import click

if TYPE_CHECKING:
    from flowmill.report.style import Style

PATHS = click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
ENVIRONMENT = click.option("--env", "environment", required=True, help="The environment.")
TEXT_OR_JSON = click.option(
    "--format",
    "output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to print.",
)
"""For verbs that print what they have found; problems in specs are printed as `FORMAT` says."""
COLOUR = click.option("--color/--no-color", "colour", default=None, help="Colours; the default is only on a terminal.")


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


FORMAT = click.option(
    "--format", "output", type=_Format(), default="text", show_default=True, help="How to print problems."
)


def workspace_of(paths: tuple[Path, ...]) -> tuple[Path, frozenset[Path] | None]:
    """The workspace's folder and the flows that were named (None for all of them).

    Raises:
        click.UsageError: a path does not exist, there is no workspace around it, or two are of different ones.
    """
    from flowmill.workspace import WORKSPACE_FILE, find_root, is_there

    for path in paths:
        if not is_there(path):
            raise click.UsageError(f"there is no file or folder `{path}`")
    start = paths[0] if paths else Path()
    root = find_root(start)
    if root is None:
        raise click.UsageError(f"there is no {WORKSPACE_FILE} at or above `{start}`; it marks a folder of specs")
    for path in paths:
        if find_root(path) != root and not root.absolute().is_relative_to(path.absolute()):
            raise click.UsageError(f"`{path}` belongs to another workspace than `{start}`; name paths of one")
    whole = not paths or any(root.absolute().is_relative_to(path.absolute()) for path in paths)
    return root, None if whole else frozenset(path.absolute() for path in paths)


def style_for(stream: IO[str], colour: bool | None) -> "Style":
    """Colours where they were asked for; by default on a terminal that has not refused them (NO_COLOR)."""
    import os

    from flowmill.report.style import Style

    wanted = stream.isatty() and "NO_COLOR" not in os.environ if colour is None else colour
    return Style(colour=wanted)


def write(text: str, stream: TextIO | None = None) -> None:
    """Print text that may hold anything: what the stream's encoding lacks is escaped."""
    stream = sys.stdout if stream is None else stream
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()


def write_file(path: Path, text: str) -> None:
    """Write what a verb was told to keep in a file.

    Raises:
        click.FileError: it cannot be written there.
    """
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.FileError(str(path), error.strerror or str(error)) from None


def reader_left() -> int:
    """Whoever read our output (`head`, a pager) has enough: no further write, not even on exit. The exit code."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


class _Wrong(click.UsageError):
    """A wrong command line, of a verb for which 2 means something else."""

    exit_code = 1


class Detailed(click.Command):
    """A verb whose exit code 2 means that there are changes; a wrong command line is 1 then, as any error."""

    def make_context(self, *arguments: Any, **more: Any) -> click.Context:
        try:
            return super().make_context(*arguments, **more)
        except click.UsageError as error:
            raise _Wrong(error.message, error.ctx) from None
