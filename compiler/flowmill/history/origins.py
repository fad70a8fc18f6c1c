"""Which keys that flows share have changed, and which flows they touch: one line there may change many flows."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from flowmill.differences import ABSENT
from flowmill.elaborating.layers import Layer, Owner, Setting
from flowmill.explain import Fact, facts
from flowmill.history.flow_changes import FlowChange
from flowmill.history.versions import Version
from flowmill.spec.flow import GROUPS
from flowmill.spec.templates import EXTENDS
from flowmill.workspace import PROJECT_FILE, WORKSPACE_FILE
from flowmill_tasks.registry import Registry


@dataclass(frozen=True)
class Origin:
    """One shared key whose value has changed.

    Attributes:
        file: the file that it stands in, from the workspace's folder.
        key: the key in that file: `defaults.all.retries`.
        before, after: its values as they were written and may be shown; `ABSENT` where it was not there.
        flows: those that have another value now, by name.
    """

    file: str
    key: str
    before: Any
    after: Any
    flows: tuple[str, ...]


def origins(found: Iterable[FlowChange], before: Version, after: Version, registry: Registry) -> list[Origin]:
    """The shared keys behind some changes, those that touch most flows first."""
    touched: dict[tuple[str, str], set[str]] = defaultdict(set)
    values: dict[tuple[str, str], tuple[Any, Any]] = {}
    for change in found:
        if change.kind == "changed":
            old = _facts(before, change, registry)
            new = _facts(after, change, registry)
            for place, pair in _shared(old, new, change):
                touched[place].add(change.flow)
                values[place] = pair
    made = [Origin(*place, *values[place], tuple(sorted(flows))) for place, flows in touched.items()]
    return sorted(made, key=lambda it: (-len(it.flows), it.file, it.key))


def _facts(version: Version, change: FlowChange, registry: Registry) -> dict[str, Fact]:
    found = facts(version.flows[change.flow], version.files, registry, change.environment)
    return {fact.key: fact for fact in found if fact.settings}


def _shared(
    old: dict[str, Fact], new: dict[str, Fact], change: FlowChange
) -> Iterator[tuple[tuple[str, str], tuple[Any, Any]]]:
    """The shared keys that win before or after, and whose own value is another now."""
    for key in dict.fromkeys([*old, *new]):
        if not _was_comparable(key, old, new):
            continue
        sides = old.get(key), new.get(key)
        winners = {fact.settings[0].layer.owner: fact.settings[0] for fact in sides if fact}
        for winner in winners.values():
            place = _place(key, winner, change)
            values = [_value(fact, winner.layer) for fact in sides]
            if place and values[0] != values[1]:
                yield place, (_shown(sides[0], winner.layer), _shown(sides[1], winner.layer))


def _was_comparable(key: str, old: dict[str, Fact], new: dict[str, Fact]) -> bool:
    """Whether the flow asked for the same then: what a new step, or a new `extends`, brings in was there before."""
    group, _, rest = key.partition(".")
    asked = f"{group}.{rest.partition('.')[0]}.type" if group in GROUPS else EXTENDS
    return bool(_written(old.get(asked)) == _written(new.get(asked)))


def _written(fact: Fact | None) -> Any:
    return fact.written if fact else None


def _setting(fact: Fact | None, layer: Layer) -> Setting | None:
    """What a layer says about a value, in whichever version."""
    settings = fact.settings if fact else ()
    return next((setting for setting in settings if setting.layer.owner == layer.owner), None)


def _value(fact: Fact | None, layer: Layer) -> Any:
    setting = _setting(fact, layer)
    return setting.value if setting else ABSENT


def _shown(fact: Fact | None, layer: Layer) -> Any:
    setting = _setting(fact, layer)
    return fact.shown_of(setting) if fact and setting else ABSENT


def _place(key: str, setting: Setting, change: FlowChange) -> tuple[str, str] | None:
    """The file and the key of what set the value of a key of the flow; None where the flow itself did."""
    layer = setting.layer
    is_step = layer.tree.at(("type",)) is not None and not layer.owner.of_steps
    inside = key if is_step else ".".join(map(str, setting.route))
    where = ".".join((*_above(layer.owner, change.environment), inside))
    if layer.owner.source in ("workspace", "environment"):
        return WORKSPACE_FILE, where
    return None if layer.owner.source == "flow" else (f"{change.plan.project}/{PROJECT_FILE}", where)


def _above(owner: Owner, environment: str) -> Iterator[str]:
    """The keys of its file that the map of a layer stands under."""
    if owner.source == "environment":
        yield from ("environments", environment)
    if owner.source == "template":
        yield from ("templates", owner.template)
    if owner.is_defaults:
        yield "defaults"
    if owner.override:
        yield from ("environment", owner.override)
    if owner.of_steps:
        # The `defaults` that flows inherit hold those for steps beside the keys of the flow.
        yield from (owner.of_steps,) if owner.is_defaults and not owner.override else ("defaults", owner.of_steps)
