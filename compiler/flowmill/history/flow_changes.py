"""How the flows of two versions of a workspace differ, each in each of its environments."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from flowmill.differences import Difference, differences
from flowmill.elaborating.inheritance import flow_layers
from flowmill.history.masks import Mask
from flowmill.history.versions import Version
from flowmill.planning.content import content_of
from flowmill.planning.digest import plan_digest
from flowmill.planning.plan import Plan
from flowmill_tasks.registry import Registry

Kind = Literal["added", "removed", "moved", "changed"]
KINDS: tuple[Kind, ...] = ("added", "removed", "moved", "changed")


@dataclass(frozen=True)
class FlowChange:
    """One flow in one environment that is not what it was.

    Attributes:
        environment: where it is now; where it was, if it is removed.
        before: its plan before; None where it is added.
        after: its plan now; None where it is removed.
        differences: of the two plans, without what may be a credential.
    """

    flow: str
    environment: str
    before: Plan | None
    after: Plan | None
    differences: tuple[Difference, ...] = ()

    @property
    def kind(self) -> Kind:
        """What has happened to it; `moved` where it has left one environment for another."""
        if self.before is None:
            return "added"
        if self.after is None:
            return "removed"
        return "changed" if self.before.environment == self.after.environment else "moved"

    @property
    def plan(self) -> Plan:
        """Its plan now, or the last that it had."""
        found = self.after or self.before
        if found is None:
            raise ValueError("a change has a plan before or after")
        return found


@dataclass(frozen=True)
class FlowChanges:
    """All that differs, and how many flows do not, each counted in each of its environments."""

    found: tuple[FlowChange, ...]
    same: int


def changes(before: Version, after: Version, registry: Registry, environment: str | None = None) -> FlowChanges:
    """What differs between two versions that have no errors; only in one environment, if it is named."""
    found: list[FlowChange] = []
    same = 0
    for flow, pairs in _pairs(before, after, environment).items():
        for old, new in pairs:
            change = _change(flow, old, new)
            same += change is None
            found += [] if change is None else [_masked(change, before, after, registry)]
    return FlowChanges(tuple(found), same)


def _pairs(
    before: Version, after: Version, environment: str | None
) -> dict[str, list[tuple[Plan | None, Plan | None]]]:
    """Which plans are to be compared, by flow."""
    old, new = _by_flow(before, environment), _by_flow(after, environment)
    return {flow: list(_matched(old.get(flow, {}), new.get(flow, {}))) for flow in sorted({*old, *new})}


def _by_flow(version: Version, environment: str | None) -> dict[str, dict[str, Plan]]:
    found: dict[str, dict[str, Plan]] = defaultdict(dict)
    for (flow, name), plan in version.compiled.plans.items():
        if environment in (None, name):
            found[flow][name] = plan
    return found


def _matched(old: dict[str, Plan], new: dict[str, Plan]) -> Iterator[tuple[Plan | None, Plan | None]]:
    """The plans of a flow by environment; one that left one environment and came to one other has moved."""
    gone = [name for name in old if name not in new]
    come = [name for name in new if name not in old]
    yield from ((old[name], new[name]) for name in old if name in new)
    if len(gone) == len(come) == 1:
        yield old[gone[0]], new[come[0]]
        return
    yield from ((old[name], None) for name in gone)
    yield from ((None, new[name]) for name in come)


def _change(flow: str, old: Plan | None, new: Plan | None) -> FlowChange | None:
    if old is None or new is None:
        plan = new or old
        return FlowChange(flow, plan.environment, old, new) if plan else None
    if old.environment == new.environment and plan_digest(old) == plan_digest(new):
        return None
    found = tuple(differences(content_of(old), content_of(new)))
    has_moved = old.environment != new.environment
    return FlowChange(flow, new.environment, old, new, found) if found or has_moved else None


def _masked(change: FlowChange, before: Version, after: Version, registry: Registry) -> FlowChange:
    if not change.differences or change.before is None or change.after is None:
        return change
    old = _mask(before, change.flow, change.before.environment, registry)
    new = _mask(after, change.flow, change.after.environment, registry)
    shown = [
        replace(it, before=old.shown(it.before, it.path), after=new.shown(it.after, it.path)) for it in _sorted(change)
    ]
    return replace(change, differences=tuple(shown))


def _sorted(change: FlowChange) -> Iterable[Difference]:
    """Where it runs and when first, the rest in the order of the plan."""
    first = ("server", "queue", "schedules", "timezone")
    return sorted(change.differences, key=lambda it: first.index(it.path[0]) if it.path[0] in first else len(first))


def _mask(version: Version, flow: str, environment: str, registry: Registry) -> Mask:
    layers = flow_layers(version.flows[flow], version.files, registry, environment)
    return Mask(layers.complete.plain())
