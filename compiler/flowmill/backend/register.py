"""Registering an environment: look, decide, and, where that is wanted, write; the server is read in bulk."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, replace
from datetime import datetime

from prefect.client.orchestration import get_client

from flowmill.backend.apply import Applied, apply, complete, late_limits
from flowmill.backend.automations import ensure_automations
from flowmill.backend.manifests import keep, newest
from flowmill.backend.pools import Pools, queue_limits
from flowmill.backend.server import Server
from flowmill.registering.changes import Change, Changes, changes_between
from flowmill.registering.kept import Kept, Verb
from flowmill.registering.manifest import Manifest
from flowmill.registering.preflight import Obstacle
from flowmill.spec import Workspace

WRITTEN = ("create", "move", "update")


@dataclass(frozen=True)
class Outlook:
    """What registering would do.

    Attributes:
        server: the address of the server.
        now: the server's time.
        prune: whether what is declared no more is deleted.
        last: the manifest that was applied last; None where none is kept.
        by: what it is that would do it.
    """

    server: str
    now: datetime
    manifest: Manifest
    changes: Changes
    obstacles: tuple[Obstacle, ...]
    prune: bool = False
    last: Kept | None = None
    by: Verb = "register"

    @property
    def to_do(self) -> tuple[Change, ...]:
        """The changes that are carried out, deletions last: what replaces a flow is there before it goes."""
        written = self.changes.of(*WRITTEN)
        return (*written, *(self.changes.of("delete") if self.prune else ()))

    @property
    def errors(self) -> tuple[Obstacle, ...]:
        return tuple(it for it in self.obstacles if it.severity == "error")


def look(server: Server, manifest: Manifest, *, prune: bool = False, adopt: bool = False) -> Outlook:
    """Compare a manifest with a server; nothing is written."""
    changes = changes_between(manifest, server.deployments(manifest.environment), adopt=adopt)
    obstacles = (*Pools(server, manifest).obstacles(), *_foreign(changes))
    last = newest(server, manifest.workspace, manifest.environment)
    return Outlook(server.address, server.now, manifest, changes, obstacles, prune, last)


def _foreign(changes: Changes) -> Iterator[Obstacle]:
    for live in changes.foreign:
        owner = f"the workspace `{live.owner}`" if live.owner else "somebody else"
        message = f"the deployment `{live.flow}/{live.content['name']}` was made by {owner}"
        yield Obstacle("error", message, "rename the flow, or take it over with `--adopt`")


def create_missing(server: Server, outlook: Outlook, workspace: Workspace) -> tuple[Outlook, list[str]]:
    """Make the pools and queues that are missing, unless something else keeps all from being registered."""
    if not any(it.made for it in outlook.obstacles) or any(not it.made for it in outlook.errors):
        return outlook, []
    pools = Pools(server, outlook.manifest)
    made = pools.create(queue_limits(workspace, [outlook.manifest.environment]))
    left = tuple(it for it in outlook.obstacles if not it.made)
    return replace(outlook, obstacles=left), made


def carry_out(server: Server, outlook: Outlook, parallel: int, tell: Callable[[Applied], None]) -> list[Applied]:
    """Finish what a register that was killed has left, write what differs, and keep the manifest.

    Args:
        parallel: writes at once; more than one makes SQLite slower.
        tell: told of each change when it is done.

    Raises:
        ServerLost: the server does not answer any more; what was told is done.
    """
    done: list[Applied] = []
    # First, as a write makes it look as if nothing had been left.
    complete(server, outlook.changes.of("unchanged", *WRITTEN, "protected"))
    writes = [it for it in outlook.to_do if it.action != "delete"]
    # Prefect's settings are those of a context, which threads do not inherit: its client would sleep for seconds.
    context = copy_context()
    with ThreadPoolExecutor(parallel) as pool:
        for applied in pool.map(lambda it: context.copy().run(apply, server, outlook.manifest.workspace, it), writes):
            done.append(applied)
            tell(applied)
    for change in outlook.to_do if not any(it.problem for it in done) else ():
        if change.action == "delete":
            done.append(apply(server, outlook.manifest.workspace, change))
            tell(done[-1])
    if not any(it.problem for it in done):
        keep(server, outlook.manifest, outlook.by, outlook.last)
    return done


def automate(outlook: Outlook) -> list[str]:
    """Make the automations that end dead runs; the names of those that were written."""
    with get_client(sync_client=True) as client:
        return ensure_automations(client, late_limits(tuple(outlook.manifest.deployments.values())))
