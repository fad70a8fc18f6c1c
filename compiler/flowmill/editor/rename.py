"""Renaming a step: its id, every `needs`, every `steps.<id>` in expressions, and the tests beside the flow."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flowmill.diagnostics import Part, Route, Span
from flowmill.editor import names
from flowmill.editor.places import Place, names_in, place_at
from flowmill.editor.snapshot import Snapshot
from flowmill.elaborating.expression_findings import texts
from flowmill.reading.parse import parse_tree
from flowmill.reading.source import Source
from flowmill.reading.tree import Tree
from flowmill.spec.flow import GROUPS
from flowmill.spec.values import NAME, NAME_RULE

_OF_STEPS_IN_TESTS = ("steps", "results")
"""Keys of tests that hold maps from the id of a step."""
_NAMES_IN_TESTS = ("order", "real", "only", "from")
"""Keys of tests whose values are ids of steps."""


class CannotRename(Exception):
    """Why a step cannot have another name, or why what stands there is none."""


@dataclass(frozen=True)
class Occurrence:
    """One place that names the step."""

    path: Path
    span: Span


def step_at(snapshot: Snapshot, path: Path, line: int, column: int) -> tuple[str, Span]:
    """The id of the step that is named at a line and a column, and the place of the name.

    Raises:
        CannotRename: no step is named there.
    """
    tree = snapshot.trees.get(path)
    place = place_at(tree, line, column) if tree else None
    name = _step_named(tree, place) if tree and place else None
    if place is None or name is None or name not in _ids(tree):
        raise CannotRename("only the id of a step can be renamed")
    return name, place.span


def _step_named(tree: Tree, place: Place) -> str | None:
    if place.name:
        return place.name[1] if len(place.name) == 2 and place.name[0] == "steps" else None
    if place.on_key:
        return None
    key = next((step for step in reversed(place.route) if isinstance(step, str)), "")
    is_id = key == "id" and len(place.route) == 3 and place.route[0] == "steps"
    return str(getattr(tree.at(place.route), "value", "")) if is_id or key == "needs" else None


def occurrences(snapshot: Snapshot, path: Path, old: str, new: str) -> list[Occurrence]:
    """Every place that has to change for a step to be called otherwise.

    Raises:
        CannotRename: the new name is none, or taken.
    """
    tree = snapshot.trees[path]
    if not NAME.fullmatch(new):
        raise CannotRename(f"`{new}` is not a name: {NAME_RULE}")
    if new in _ids(tree):
        raise CannotRename(f"there is a step `{new}` already")
    found = [Occurrence(path, span) for span in _in_flow(tree, old)]
    flow = snapshot.flows.get(path)
    if flow and flow.tests:
        tests = _tree(flow.tests, snapshot)
        found += [Occurrence(flow.tests.absolute(), span) for span in (_in_tests(tests, old) if tests else ())]
    return found


def _tree(path: Path, snapshot: Snapshot) -> Tree | None:
    text = snapshot.files.texts.get(path.absolute())
    read = parse_tree(Source(str(path), path.read_text("utf-8") if text is None else text))
    return read if isinstance(read, Tree) else None


def _ids(tree: Tree | None) -> set[str]:
    return set(names.step_ids(tree.plain())) if tree else set()


def _in_flow(tree: Tree, old: str) -> Iterator[Span]:
    plain = tree.plain()
    for route, text in texts(plain, ()):
        if text == old and _names_step(route):
            yield tree.span(route)
        for start, end, name in names_in(text, _within_override(route)):
            if name == ("steps", old):
                yield tree.span(route, part=Part(start, end))


def _within_override(route: Route) -> Route:
    """The route as if what stands in the override of an environment stood in the flow."""
    return route[2:] if route[:1] == ("environment",) else route


def _names_step(route: Route) -> bool:
    route = _within_override(route)
    if len(route) < 3 or route[0] not in GROUPS:
        return False
    return (route[0] == "steps" and route[2:] == ("id",)) or route[2] == "needs"


def _in_tests(tree: Tree, old: str) -> Iterator[Span]:
    """In tests, elements of a step are called `id[element]`."""
    for route in _routes(tree.plain(), ()):
        last, above = route[-1], next((it for it in reversed(route[:-1]) if isinstance(it, str)), "")
        if isinstance(last, str) and above in _OF_STEPS_IN_TESTS and len(route) <= 5 and _is(last, old):
            span = tree.span(route, at_key=True)
            yield Span(span.path, span.line, span.column, span.line, span.column + len(old))
        key = next((it for it in reversed(route) if isinstance(it, str)), "")
        value = getattr(tree.at(route), "value", None)
        if key in _NAMES_IN_TESTS and isinstance(value, str) and _is(value, old):
            yield tree.span(route, part=Part(0, len(old)))


def _is(written: str, old: str) -> bool:
    return written == old or written.startswith(f"{old}[")


def _routes(value: object, route: Route) -> Iterator[Route]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in inside:
        yield (*route, step)
        yield from _routes(item, (*route, step))
