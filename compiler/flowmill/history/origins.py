"""Which keys that flows share have changed, and which flows they touch: one line there may change many flows."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from flowmill.differences import ABSENT
from flowmill.elaborating.layers import Layer, Setting
from flowmill.explain import Fact, facts
from flowmill.history.flow_changes import FlowChange
from flowmill.history.versions import Version
from flowmill.spec.flow import GROUPS
from flowmill.spec.templates import EXTENDS
from flowmill.workspace import PROJECT_FILE, WORKSPACE_FILE
from flowmill_tasks.registry import Registry

_FOR_STEPS = re.compile(r"defaults for (?P<type>every step|(?P<word>\S+) steps) of (?P<owner>.+)")
_TEMPLATE = re.compile(r"template `(?P<name>[^`]+)`")


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
        winners = {fact.settings[0].layer.name: fact.settings[0] for fact in sides if fact}
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
    """What a layer says about a value; layers of two versions are the same by their names."""
    settings = fact.settings if fact else ()
    return next((setting for setting in settings if setting.layer.name == layer.name), None)


def _value(fact: Fact | None, layer: Layer) -> Any:
    setting = _setting(fact, layer)
    return setting.value if setting else ABSENT


def _shown(fact: Fact | None, layer: Layer) -> Any:
    setting = _setting(fact, layer)
    return fact.shown_of(setting) if fact and setting else ABSENT


def _place(key: str, setting: Setting, change: FlowChange) -> tuple[str, str] | None:
    """The file and the key of what set the value of a key of the flow; None where the flow itself did."""
    layer, route = setting.layer, ".".join(map(str, setting.route))
    for_steps = _FOR_STEPS.fullmatch(layer.owner)
    is_step = layer.tree.at(("type",)) is not None and not for_steps
    owner = for_steps["owner"] if for_steps else layer.owner
    word = f"{for_steps['word'] or 'all'}." if for_steps else ""
    inside = key if is_step else word + route
    inside = f"defaults.{inside}" if layer.is_defaults or for_steps else inside
    project_file = f"{change.plan.project}/{PROJECT_FILE}"
    template = _TEMPLATE.match(owner)
    if template:
        return project_file, f"templates.{template['name']}.{inside}"
    shared = {
        "the workspace": (WORKSPACE_FILE, inside),
        "the environment": (WORKSPACE_FILE, f"environments.{change.environment}.{inside}"),
        "the project": (project_file, inside),
    }
    return shared.get(owner)
