"""What has to be done so that a server has what a manifest declares: declared, last applied and live, three-way.

The rule about what somebody has changed on the server by hand:

- A switch (a schedule's, or that of a whole deployment) is the operator's: it stays as it was put there, and is
  reported, until the spec itself changes that switch.
- Everything else is the spec's: it is put back, and the plan says beforehand that it will be.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from flowmill.differences import differences
from flowmill.planning.digest import digest_of
from flowmill.registering.live import Live
from flowmill.registering.manifest import Declared, Manifest
from flowmill.registering.view import record_of, view_of

Origin = Literal["spec", "server", "both"]
"""Who has changed a field since it was applied last."""
Action = Literal["create", "move", "update", "unchanged", "delete", "protected"]


@dataclass(frozen=True)
class FieldChange:
    """One value that the server has otherwise than declared.

    Attributes:
        path: its keys, in the words of specs.
        before: what the server has; `differences.ABSENT` for nothing.
        after: what is declared.
        origin: who has changed it.
    """

    path: str
    before: Any
    after: Any
    origin: Origin


@dataclass(frozen=True)
class Switch:
    """A switch that somebody has put otherwise on the server, and that stays so.

    Attributes:
        schedule: whose switch it is; empty for that of the deployment.
        is_on: how it stays.
    """

    schedule: str
    is_on: bool


@dataclass(frozen=True)
class Change:
    """What becomes of one deployment.

    Attributes:
        declared: as it is to be; None where it is to go.
        live: as it is; None where it is not there.
        former: the deployment that it was under its former name, which goes.
        fields: what differs; empty for a new one and for one that goes.
        kept: the switches that stay as somebody has put them.
    """

    action: Action
    flow: str
    declared: Declared | None = None
    live: Live | None = None
    former: Live | None = None
    fields: tuple[FieldChange, ...] = ()
    kept: tuple[Switch, ...] = ()

    def is_on(self, schedule: str, declared: bool) -> bool:
        """Whether a schedule's switch is to be on."""
        return next((it.is_on for it in self.kept if it.schedule == schedule), declared)

    @property
    def paused(self) -> bool:
        """Whether the deployment as a whole stays switched off."""
        return not self.is_on("", True)


@dataclass(frozen=True)
class Changes:
    """What becomes of the deployments of an environment, by the names of their flows.

    Attributes:
        foreign: flows whose deployment somebody else has made, so that it cannot be touched.
    """

    items: tuple[Change, ...] = ()
    foreign: tuple[Live, ...] = field(default=())

    def of(self, *actions: str) -> tuple[Change, ...]:
        """The changes of these kinds."""
        return tuple(change for change in self.items if change.action in actions)


def changes_between(manifest: Manifest, server: Iterable[Live], *, adopt: bool = False) -> Changes:
    """Compare what is declared with what a server has of the environment.

    Args:
        server: every deployment that is called like the environment, whoever made it.
        adopt: take over what somebody else has made under a name that is declared.
    """
    lives = {live.flow: live for live in server}
    ours = {name: live for name, live in lives.items() if live.owner == manifest.workspace}
    usable = lives if adopt else ours
    foreign = [live for name, live in lives.items() if name in manifest.deployments and name not in usable]
    moved = _moved(manifest, ours)
    items = [_change(it, usable.get(it.flow), moved.get(it.flow)) for it in manifest.deployments.values()]
    gone = [live for name, live in ours.items() if name not in manifest.deployments and live not in moved.values()]
    items += [Change("protected" if live.protected else "delete", live.flow, live=live) for live in gone]
    return Changes(tuple(sorted(items, key=lambda it: it.flow)), tuple(foreign))


def _moved(manifest: Manifest, ours: Mapping[str, Live]) -> dict[str, Live]:
    """The former deployments that are still there, by the names that their flows have now."""
    declared = manifest.deployments
    moved = {it.flow: it.moved_from for it in declared.values() if it.moved_from and it.moved_from not in declared}
    return {flow: ours[former] for flow, former in moved.items() if former in ours}


def _change(declared: Declared, live: Live | None, former: Live | None) -> Change:
    if live is None:
        kept = tuple(_kept(declared, former)) if former else ()
        return Change("move" if former else "create", declared.flow, declared, former=former, kept=kept)
    kept = tuple(_kept(declared, live))
    fields = tuple(_field_changes(declared, live, kept))
    differs = bool(fields) or live.version != declared.digest
    action: Action = "move" if former else "update" if differs else "unchanged"
    return Change(action, declared.flow, declared, live, former, fields, kept)


def _kept(declared: Declared, live: Live) -> Iterator[Switch]:
    """The switches that differ although the spec has not changed them since they were applied."""
    if live.view["paused"]:
        yield Switch("", is_on=False)
    now = live.view["schedules"]
    for slug, wanted in record_of(view_of(declared.body))["switches"].items():
        is_on = now.get(slug, {}).get("active")
        if is_on is not None and live.switches.get(slug) == wanted != is_on:
            yield Switch(slug, is_on)


def _field_changes(declared: Declared, live: Live, kept: tuple[Switch, ...]) -> Iterator[FieldChange]:
    wanted = _as_it_will_be(view_of(declared.body), kept)
    for name, after in wanted.items():
        origin = _origin(live, name, view_of(declared.body)[name])
        for it in differences(live.view[name], after, (name,)):
            yield FieldChange(it.key, it.before, it.after, origin)


def _as_it_will_be(view: dict[str, Any], kept: tuple[Switch, ...]) -> dict[str, Any]:
    """The view with the switches as they stay."""
    switches = {it.schedule: it.is_on for it in kept}
    schedules = {slug: {**its, "active": switches.get(slug, its["active"])} for slug, its in view["schedules"].items()}
    return {**view, "schedules": schedules, "paused": not switches.get("", True)}


def _origin(live: Live, name: str, declared: Any) -> Origin:
    """Who has changed a field; where it is not known what was applied, it was the spec."""
    applied = live.applied.get(name)
    if applied is None:
        return "spec"
    there = _with_applied_switches(live) if name == "schedules" else live.view[name]
    by_spec, by_server = (digest_of(value)[:8] != applied for value in (declared, there))
    return "both" if by_spec and by_server else "server" if by_server else "spec"


def _with_applied_switches(live: Live) -> dict[str, Any]:
    """The schedules as they are but for their switches: who has moved one has not changed the rest of it."""
    return {
        slug: {**its, "active": live.switches.get(slug, its["active"])} for slug, its in live.view["schedules"].items()
    }
