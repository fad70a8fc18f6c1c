"""Going to where something is declared: a step, a server, a parameter, the default behind a value, a file."""

from collections.abc import Iterator
from pathlib import Path

from flowmill.diagnostics import Route, Span
from flowmill.editor import names
from flowmill.editor.places import Place, place_at
from flowmill.editor.positions import absolute
from flowmill.editor.snapshot import Snapshot
from flowmill.elaborating.inheritance import flow_layers
from flowmill.reading.tree import Tree
from flowmill.workspace import PROJECT_FILE, WORKSPACE_FILE

Target = tuple[Path, Span]
"""A file, and what in it is meant."""
_DECLARED = {"server": "servers", "servers": "servers", "environment": "environments", "environments": "environments"}


def definition(snapshot: Snapshot, path: Path, line: int, column: int) -> list[Target]:
    """Where what stands at a line and a column is declared."""
    tree = snapshot.trees.get(path)
    place = place_at(tree, line, column) if tree else None
    if tree is None or place is None:
        return []
    if place.name:
        return list(_of_name(tree, path, place))
    return list(_behind(snapshot, path, place.route) if place.on_key else _of_value(snapshot, path, tree, place))


def _of_name(tree: Tree, path: Path, place: Place) -> Iterator[Target]:
    """Where the name in an expression is declared."""
    name = place.name
    if name[0] == "steps" and len(name) > 1:
        yield from _step(tree, path, name[1])
    elif name[0] in ("parameters", "vars") and len(name) > 1:
        yield from _at(tree, path, (name[0], name[1]))
    elif name[0] in ("server", "project", "environment", "last_success"):
        yield from _at(tree, path, (name[0],))


def _of_value(snapshot: Snapshot, path: Path, tree: Tree, place: Place) -> Iterator[Target]:
    """What a value names."""
    key = next((step for step in reversed(place.route) if isinstance(step, str)), "")
    node = tree.at(place.route)
    word = str(getattr(node, "value", ""))
    if key == "needs":
        yield from _step(tree, path, word)
    elif key in _DECLARED:
        yield from _in_workspace(snapshot, (_DECLARED[key], word))
    elif key == "queue":
        servers = snapshot.files.spec.servers if snapshot.files.spec else {}
        for server, declared in servers.items():
            if word in declared.queues:
                yield from _in_workspace(snapshot, ("servers", server, "queues", word))
    elif key == "extends":
        yield from _in_project(snapshot, path, ("templates", word))
    elif key == "project":
        yield from _in_project(snapshot, path, ())
    elif (path.parent / word).is_file() and word:
        yield path.parent / word, Span(str(path.parent / word))


def _behind(snapshot: Snapshot, path: Path, route: Route) -> Iterator[Target]:
    """The default that a key of a flow wins against, or, where it is an environment's, the flow's own value."""
    flow = snapshot.flows.get(path)
    if flow is None:
        return
    environment = str(route[1]) if route[0] == "environment" and len(route) > 2 else None
    place = route[2:] if environment else route
    known = [env for name, env in snapshot.compiled.usable if name == flow.full_name]
    for env in [environment] if environment else known[:1]:
        layers = flow_layers(flow, snapshot.files, snapshot.registry, env)
        step = layers.of_step(str(place[0]), place[1]) if len(place) > 2 and isinstance(place[1], int) else None
        settings = step.settings(place[2:]) if step else layers.settings(place)
        for setting in settings[1:2]:
            yield absolute(setting.span.path), setting.layer.tree.span(setting.route, at_key=True)


def _step(tree: Tree, path: Path, name: str) -> Iterator[Target]:
    for place, step in names.all_steps(tree.plain()):
        if place[0] == "steps" and step.get("id") == name:
            yield path, tree.span((*place, "id"))


def _at(tree: Tree, path: Path, route: Route) -> Iterator[Target]:
    if tree.at(route) is not None:
        yield path, tree.span(route, at_key=True)


def _in_workspace(snapshot: Snapshot, route: Route) -> Iterator[Target]:
    path = (snapshot.root / WORKSPACE_FILE).absolute()
    if tree := snapshot.trees.get(path):
        yield from _at(tree, path, route)


def _in_project(snapshot: Snapshot, path: Path, route: Route) -> Iterator[Target]:
    file = path.parent / PROJECT_FILE
    if tree := snapshot.trees.get(file):
        yield from _at(tree, file, route) if route else [(file, Span(str(file)))]
