"""What the verbs that speak with a Prefect server about an environment have in common."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flowmill.commands._options import style_for, workspace_of, write

if TYPE_CHECKING:
    from flowmill.backend.server import Server
    from flowmill.registering.manifest import Manifest
    from flowmill.spec import Workspace

ENVIRONMENT = click.option("--env", "environment", required=True, help="The environment.")


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


def declared(environment: str, colour: bool | None) -> "tuple[Workspace, Manifest] | None":
    """The workspace around the working directory, and its manifest; None where a spec is wrong and says so.

    Raises:
        click.ClickException: the environment cannot be registered.
    """
    from flowmill.pipeline import compile_files
    from flowmill.registering.declaring import Undeclarable, manifest_of
    from flowmill.report import render
    from flowmill.workspace import load
    from flowmill_tasks.registry import discover

    root, _ = workspace_of(())
    files = load(root)
    compiled = compile_files(files, discover())
    if compiled.errors or files.spec is None:
        write(render(compiled, "text", style_for(sys.stderr, colour)), sys.stderr)
        return None
    try:
        return files.spec, manifest_of(root, files.spec, compiled, environment)
    except Undeclarable as error:
        raise click.ClickException(str(error)) from None


@contextmanager
def server() -> "Iterator[Server]":
    """The configured server, whose failures are messages."""
    from flowmill.backend.server import ServerError, configured

    try:
        with configured() as found:
            yield found
    except ServerError as error:
        raise click.ClickException(str(error)) from None


def root_folder() -> Path:
    """The folder of the workspace around the working directory."""
    return workspace_of(())[0]
