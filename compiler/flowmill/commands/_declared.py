"""What the specs around the working directory declare."""

import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flowmill.commands._options import style_for, workspace_of, write

if TYPE_CHECKING:
    from flowmill.planning.plan import Plan
    from flowmill.registering.manifest import Manifest
    from flowmill.spec.workspace import Workspace


@dataclass(frozen=True)
class FromSpecs:
    """What the specs around the working directory say about an environment."""

    workspace: "Workspace"
    manifest: "Manifest"
    plans: "tuple[Plan, ...]"


def declared(environment: str, colour: bool | None) -> FromSpecs | None:
    """What is declared around the working directory; None where a spec is wrong and says so.

    Raises:
        click.ClickException: the environment cannot be registered.
    """
    from flowmill.lint.run import linted
    from flowmill.pipeline import compile_files
    from flowmill.registering.declaring import Undeclarable, manifest_of
    from flowmill.report import render
    from flowmill.workspace import load
    from flowmill_tasks.registry import discover

    root, _ = workspace_of(())
    files = load(root)
    # A rule that the team has made an error, or a policy, holds for what is registered as well.
    compiled = linted(compile_files(files, discover()), files, date.today(), whole=True)
    if compiled.errors or files.spec is None:
        write(render(compiled, "text", style_for(sys.stderr, colour)), sys.stderr)
        return None
    try:
        manifest = manifest_of(root, files.spec, compiled, environment)
    except Undeclarable as error:
        raise click.ClickException(str(error)) from None
    plans = tuple(plan for (_, name), plan in compiled.plans.items() if name == environment)
    return FromSpecs(files.spec, manifest, plans)


def refuse_uncommitted(manifest: "Manifest") -> None:
    """
    Raises:
        click.ClickException: workers would not find in git what would be registered.
    """
    if manifest.storage == "local" or not (manifest.changed or _without_commit(manifest)):
        return
    names = ", ".join(f"`{it}`" for it in (*manifest.changed[:3], *_without_commit(manifest)[:3]))
    hint = "commit and push them, so that what is registered is what runs"
    raise click.ClickException(f"not committed: {names}; {hint}")


def _without_commit(manifest: "Manifest") -> tuple[str, ...]:
    if manifest.pin == "branch":
        return ()
    return tuple(it.spec for it in manifest.deployments.values() if it.commit is None)


def workspace_spec() -> "Workspace":
    """What flowmill.yaml says, without a look at the flows.

    Raises:
        click.ClickException: it cannot be used.
    """
    from flowmill.workspace import WORKSPACE_FILE, load

    spec = load(root_folder(), frozenset()).spec
    if spec is None:
        raise click.ClickException(f"{WORKSPACE_FILE} cannot be used; `flowmill validate` says why")
    return spec


def root_folder() -> Path:
    """The folder of the workspace around the working directory."""
    return workspace_of(())[0]
