"""Registering an environment: look, decide, and, where that is wanted, write; the server is read in bulk."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, replace
from datetime import datetime

from flowmill.backend.apply import Applied, apply, complete, late_limits
from flowmill.backend.automations import ensure_automations
from flowmill.backend.manifests import keep, newest
from flowmill.backend.pools import Pools
from flowmill.backend.preflight import openness, secrets, tokens, version_of, versions
from flowmill.backend.server import Server
from flowmill.registering.changes import Change, Changes, changes_between
from flowmill.registering.kept import Kept, Verb
from flowmill.registering.manifest import Manifest
from flowmill.registering.preflight import Obstacle
from flowmill.registering.targets import Target
from flowmill.secrets.needs import Need

WRITTEN = ("create", "move", "update")


@dataclass(frozen=True)
class Outlook:
    """What registering would do.

    Attributes:
        server: the address of the server.
        version: its release of Prefect; empty where it does not say.
        now: the server's time.
        prune: whether what is declared no more is deleted.
        adopt: whether what others have made is taken over.
        last: the manifest that was applied last; None where none is kept.
        by: what it is that would do it.
    """

    server: str
    version: str
    now: datetime
    manifest: Manifest
    changes: Changes
    obstacles: tuple[Obstacle, ...]
    prune: bool = False
    adopt: bool = False
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

    def creating(self) -> "Outlook":
        """The same where pools and queues that are missing are going to be made."""
        made = tuple(replace(it, severity="warning") if it.made else it for it in self.obstacles)
        return replace(self, obstacles=made)


def look(
    server: Server, manifest: Manifest, needs: Iterable[Need] = (), *, prune: bool = False, adopt: bool = False
) -> Outlook:
    """Compare a manifest with a server; nothing is written.

    Args:
        needs: the secrets that its flows need, where that is known.
    """
    changes = changes_between(manifest, server.deployments(manifest.environment), adopt=adopt)
    version = version_of(server)
    obstacles = (
        *versions(version),
        *openness(server.address),
        *Pools(server, manifest).obstacles(),
        *_foreign(changes),
        *secrets(server, needs),
        *tokens(server, manifest),
    )
    last = newest(server, manifest.workspace, manifest.environment)
    return Outlook(server.address, version, server.now, manifest, changes, obstacles, prune, adopt, last)


def _foreign(changes: Changes) -> Iterator[Obstacle]:
    for live in changes.foreign:
        owner = f"the workspace `{live.owner}`" if live.owner else "somebody else"
        message = f"the deployment `{live.flow}/{live.content['name']}` was made by {owner}"
        yield Obstacle("error", message, "rename the flow, or take it over with `--adopt`")


def create_missing(server: Server, outlook: Outlook, limits: Mapping[Target, int | None]) -> tuple[Outlook, list[str]]:
    """Make the pools and queues that are missing, unless something else keeps all from being registered.

    Args:
        limits: how many runs at once a queue allows.
    """
    if not any(it.made for it in outlook.obstacles) or any(not it.made for it in outlook.errors):
        return outlook, []
    pools = Pools(server, outlook.manifest)
    made = pools.create(limits)
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


def automate(server: Server, outlook: Outlook) -> list[str]:
    """Make the automations that end dead runs; the names of those that were written.

    Raises:
        ServerError: the server refuses, or does not answer.
    """
    return ensure_automations(server, late_limits(tuple(outlook.manifest.deployments.values())))
