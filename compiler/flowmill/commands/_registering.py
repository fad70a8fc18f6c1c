"""What the verbs that speak with a Prefect server about an environment have in common."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flowmill.commands._options import style_for, workspace_of, write

if TYPE_CHECKING:
    from flowmill.backend.register import Outlook
    from flowmill.backend.server import Server
    from flowmill.plan import Plan
    from flowmill.registering.kept import Kept
    from flowmill.registering.manifest import Manifest
    from flowmill.registering.preflight import Obstacle
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


def look_from_specs(connection: "Server", found: FromSpecs, *, prune: bool, adopt: bool) -> "Outlook":
    """What registering the specs would do; nothing is written."""
    from flowmill.backend.register import look
    from flowmill.secret_needs import needs
    from flowmill_tasks.registry import discover

    return look(connection, found.manifest, needs(found.plans, discover()), prune=prune, adopt=adopt)


@contextmanager
def server() -> "Iterator[Server]":
    """The configured server, whose failures are messages."""
    from flowmill.backend.server import ServerError, configured

    try:
        with configured() as found:
            yield found
    except ServerError as error:
        raise click.ClickException(str(error)) from None


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


def kept_of(connection: "Server", environment: str) -> "list[Kept]":
    """The manifests that the server keeps of an environment of this workspace, the newest first; at least one.

    Raises:
        click.ClickException: it keeps none, or nothing says whose they are.
    """
    from flowmill.backend.manifests import kept_manifests
    from flowmill.registering.declaring import Undeclarable, workspace_name
    from flowmill.suggest import did_you_mean

    workspace = workspace_spec()
    try:
        kept = kept_manifests(connection, workspace_name(workspace), environment)
    except Undeclarable as error:
        raise click.ClickException(str(error)) from None
    if kept:
        return kept
    if environment not in workspace.environments:
        hint = did_you_mean(environment, workspace.environments)
        raise click.ClickException(f"there is no environment `{environment}`; {hint}")
    what = f"the Prefect server at {connection.address} keeps no manifest of `{environment}`"
    raise click.ClickException(f"{what}; `flowmill register --env {environment}` keeps one")


def with_history(
    outlook: "Outlook", workspace: "Workspace", *, planned: bool = False, from_older: bool = False
) -> "Outlook":
    """The outlook with what git says against registering it.

    Args:
        planned: nothing is an error yet: plans are often made before the push.
        from_older: an older commit than the last one is no error.

    Raises:
        click.ClickException: git cannot be asked.
    """
    from dataclasses import replace

    from flowmill.history.git import GitError
    from flowmill.registering.ancestry import older_than_registered, rolled_back
    from flowmill.registering.preflight import as_warnings
    from flowmill.registering.reachable import not_fetchable

    root, manifest, last = root_folder(), outlook.manifest, outlook.last
    try:
        older = [*older_than_registered(root, manifest, last)]
        unknown = [*not_fetchable(root, workspace.repository, manifest)]
    except GitError as error:
        raise click.ClickException(str(error)) from None
    older = as_warnings(older) if planned or from_older else older
    unknown = as_warnings(unknown) if planned else unknown
    return replace(outlook, obstacles=(*outlook.obstacles, *older, *unknown, *rolled_back(manifest, last)))


def unfetchable(workspace: "Workspace", manifest: "Manifest") -> "list[Obstacle]":
    """Warnings about commits that workers may not find any more; none where there is no git to ask."""
    from flowmill.history.git import GitError
    from flowmill.registering.preflight import as_warnings
    from flowmill.registering.reachable import not_fetchable

    try:
        return as_warnings(not_fetchable(root_folder(), workspace.repository, manifest))
    except GitError:
        return []


def root_folder() -> Path:
    """The folder of the workspace around the working directory."""
    return workspace_of(())[0]
