"""The names that a place in a document may use: servers, steps, secrets, what expressions know."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from flowmill.diagnostics import Route
from flowmill.editor.snapshot import Snapshot
from flowmill.elaborating.shapes import group_shape, key_of_flow_shape, key_shape
from flowmill.expressions.functions import TIME_ATTRIBUTES
from flowmill.expressions.names import Leaf, Shape
from flowmill.secrets.names import secret_uses
from flowmill.spec.flow import GROUPS
from flowmill.times import timezones


def named(snapshot: Snapshot, path: Path, route: Route, key: str) -> list[str]:
    """The names that the value of a key may be, where it names something; empty for all other keys.

    Args:
        route: the map that the key is in.
    """
    workspace = snapshot.files.spec
    if key == "needs":
        keys = raw(snapshot, path)
        own = dict(all_steps(keys)).get(route[:2], {}).get("id")
        return [name for name in step_ids(keys) if name != own]
    if key == "project":
        return [path.parent.name]
    if key == "timezone":
        return timezones.names()
    if key in ("env_from", "repository_token"):
        return sorted(secrets(snapshot))
    if key == "extends":
        project = snapshot.files.projects.get(path.parent.name)
        return list(project.spec.templates) if project else []
    if key == "moved_from":
        return sorted({name for name, _ in snapshot.compiled.usable})
    if workspace is None:
        return []
    queues = {name for server in workspace.servers.values() for name in server.queues}
    known: Mapping[str, Iterable[str]] = {
        "server": workspace.servers,
        "servers": workspace.servers,
        "environment": workspace.environments,
        "environments": workspace.environments,
        "queue": queues,
    }
    return sorted(known.get(key, ()))


def secrets(snapshot: Snapshot) -> set[str]:
    """The secrets that the workspace declares or uses."""
    declared = snapshot.files.spec.secrets if snapshot.files.spec else None
    used = {use.name for flow in snapshot.compiled.usable.values() for use in secret_uses(flow.plan) if use.name}
    return {*(declared or ()), *used}


def all_steps(keys: Mapping[str, Any]) -> Iterator[tuple[Route, Mapping[str, Any]]]:
    """The steps of a flow and of its handlers as they are written, with their routes; what is no map is left out."""
    for group in GROUPS:
        steps = keys.get(group)
        for index, step in enumerate(steps if isinstance(steps, list) else []):
            if isinstance(step, Mapping):
                yield (group, index), step


def step_called(keys: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    """The flow's own step of an id."""
    return next((step for place, step in all_steps(keys) if place[0] == "steps" and step.get("id") == name), None)


def step_ids(keys: Mapping[str, Any]) -> list[str]:
    """The ids of a flow's own steps, in order."""
    return [str(step["id"]) for place, step in all_steps(keys) if place[0] == "steps" and step.get("id")]


def raw(snapshot: Snapshot, path: Path) -> Mapping[str, Any]:
    """The keys of a flow with everything that it inherits, as far as it could last be understood."""
    flow = snapshot.flows.get(path)
    if flow is None:
        return {}
    usable = (it for (name, _), it in snapshot.compiled.usable.items() if name == flow.full_name)
    found = next(usable, None)
    return {**(found.tree.plain() if found else {}), **flow.tree.plain()}


def shape_at(snapshot: Snapshot, path: Path, route: Route, key: str | None) -> Mapping[str, Shape]:
    """The names that an expression at a place may use."""
    keys = raw(snapshot, path)
    place = (*route, *([key] if key else []))
    if place and place[0] in GROUPS:
        shape = group_shape(keys, snapshot.registry, str(place[0]))
        step = dict(all_steps(keys)).get(place[:2], {})
        return key_shape(shape, step, str(place[2]) if len(place) > 2 else "")
    return key_of_flow_shape(keys, str(place[0]) if place else "")


def inside(shape: Shape, words: Iterable[str]) -> Shape | None:
    """The shape at the end of a path of attributes; None where there is none."""
    for word in words:
        if isinstance(shape, Mapping):
            if word not in shape:
                return None
            shape = shape[word]
        elif shape is not Leaf.ANYTHING:
            return None
    return shape


def attributes(shape: Shape | None) -> list[str]:
    """The attributes that a value of a shape has."""
    if isinstance(shape, Mapping):
        return list(shape)
    return sorted(TIME_ATTRIBUTES) if shape is Leaf.TIME else []
