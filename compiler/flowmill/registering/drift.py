"""What has become otherwise on a server since a manifest was applied.

It is what registering the same manifest again would have to do, read the other way round. What each deployment
says about itself tells a person's change from what a register has written that did not come to its end.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from flowmill.registering.changes import Change, Switch, changes_between
from flowmill.registering.live import Live
from flowmill.registering.manifest import Manifest

Kind = Literal["deleted", "changed", "undeclared", "taken"]
"""`taken` is a deployment that somebody else has now under our name."""


@dataclass(frozen=True)
class Drifted:
    """One value that is otherwise than applied.

    Attributes:
        applied, live: `differences.ABSENT` for nothing.
        by_hand: whether somebody has changed it; otherwise it was a register that has not come to its end.
    """

    path: str
    applied: Any
    live: Any
    by_hand: bool


@dataclass(frozen=True)
class Drift:
    """What has become of one deployment.

    Attributes:
        switches: those that an operator has moved.
        owner: whose it is now, where it was taken; empty for somebody who is not known.
    """

    flow: str
    kind: Kind
    fields: tuple[Drifted, ...] = ()
    switches: tuple[Switch, ...] = ()
    owner: str = ""


def drift_between(manifest: Manifest, server: Iterable[Live]) -> list[Drift]:
    """What differs from what was applied, by the names of flows.

    Args:
        manifest: the one that was applied last.
        server: every deployment that is called like the environment, whoever made it.
    """
    changes = changes_between(manifest, server)
    taken = {live.flow: Drift(live.flow, "taken", owner=live.owner or "") for live in changes.foreign}
    found = [drift for change in changes.items if change.flow not in taken for drift in _drifts(change)]
    return sorted([*taken.values(), *found], key=lambda it: it.flow)


def _drifts(change: Change) -> Iterator[Drift]:
    """Most changes are one drift; one that is protected was told to stay."""
    if change.former:
        yield Drift(change.former.flow, "undeclared")
    if change.action == "delete":
        yield Drift(change.flow, "undeclared")
    elif change.declared and change.live is None:
        yield Drift(change.flow, "deleted")
    elif change.declared and (change.action != "unchanged" or change.kept):
        yield Drift(change.flow, "changed", tuple(_fields(change)), change.kept)


def _fields(change: Change) -> Iterator[Drifted]:
    for it in change.fields:
        yield Drifted(it.path, applied=it.after, live=it.before, by_hand=it.origin != "spec")
    if change.declared and change.live and not change.fields and change.live.version != change.declared.digest:
        yield Drifted("version", change.declared.digest, change.live.version, by_hand=False)
