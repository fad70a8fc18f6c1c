"""Saving what `flowmill plan` has found, and finding it again when `flowmill register` is to do exactly that."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flowmill.commands._options import write

if TYPE_CHECKING:
    from flowmill.backend.register import Outlook
    from flowmill.backend.server import Server
    from flowmill.registering.saved_plan import SavedPlan
    from flowmill.spec.workspace import Workspace


def save(path: Path, outlook: "Outlook", workspace: "Workspace", *, create: bool) -> None:
    """Write a plan to a file.

    Raises:
        click.ClickException: it cannot be written.
    """
    from flowmill.registering.saved_plan import SavedPlan, seen_in
    from flowmill.registering.targets import queue_limits

    limits = queue_limits(workspace, outlook.manifest.environment)
    saved = SavedPlan(
        server=outlook.server,
        create=create,
        prune=outlook.prune,
        adopt=outlook.adopt,
        last=outlook.last.digest if outlook.last else "",
        queues=tuple((pool, queue, limit) for (pool, queue), limit in sorted(limits.items())),
        seen=seen_in(outlook.changes),
        manifest=outlook.manifest,
    )
    try:
        path.write_text(saved.to_json(), encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}") from None
    write(f"saved; `flowmill register --plan {path}` does exactly this\n", sys.stderr)


def read(path: Path, environment: str | None) -> "SavedPlan":
    """The plan in a file.

    Args:
        environment: the one that is meant; None takes that of the plan.

    Raises:
        click.ClickException: there is none that can be applied, or it is of another environment.
    """
    from flowmill.registering.saved_plan import SavedPlanError, read_saved_plan

    try:
        saved = read_saved_plan(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise click.ClickException(f"{path} cannot be read: {error.strerror}") from None
    except (SavedPlanError, UnicodeDecodeError) as error:
        why = str(error) if isinstance(error, SavedPlanError) else "this is no plan, for it is not text"
        raise click.ClickException(f"{path}: {why}") from None
    planned = saved.manifest.environment
    if environment not in (None, planned):
        raise click.ClickException(f"{path}: the plan is of `{planned}`, not of `{environment}`")
    return saved


def look_again(connection: "Server", saved: "SavedPlan") -> "Outlook":
    """What the plan comes to, on a server that is as it was.

    Raises:
        click.ClickException: it is another server, or has moved on since.
    """
    from flowmill.backend.register import look

    if connection.address != saved.server:
        raise click.ClickException(f"the plan is for {saved.server}, and PREFECT_API_URL names {connection.address}")
    outlook = look(connection, saved.manifest, prune=saved.prune, adopt=saved.adopt)
    if moved := list(_moved(outlook, saved)):
        what = "".join(f"\n  - {it}" for it in moved)
        hint = f"\nnothing was changed; `flowmill plan --env {saved.manifest.environment}` looks again"
        raise click.ClickException(f"the server has moved on since the plan was made:{what}{hint}")
    return outlook


def _moved(outlook: "Outlook", saved: "SavedPlan") -> list[str]:
    from flowmill.registering.saved_plan import moved_on, seen_in

    last = outlook.last.digest if outlook.last else ""
    other = [f"the manifest {last or 'of nobody'} was registered last, then it was {saved.last or 'none'}"]
    return [*moved_on(saved.seen, seen_in(outlook.changes)), *(other if last != saved.last else [])]
