"""The graph of a flow beside what it was in another version: both in one, with what has changed."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from itertools import takewhile

from flowmill.differences import ABSENT, Difference
from flowmill.history.flow_changes import FlowChange
from flowmill.pictures.graph import Edge, Graph, Node, graph_of
from flowmill.planning.plan import Plan
from flowmill.report.explanation import cut, text_of
from flowmill.spec.flow import GROUPS

VALUE_AT_MOST, BEFORE_A_CHANGE = 40, 12


def compared(plan: Plan, change: FlowChange | None, against: str) -> Graph:
    """A flow with what has changed in it.

    Args:
        change: how it differs from the other version; None where it does not.
        against: what the other version is called.
    """
    now = replace(graph_of(plan), against=against)
    if change is None:
        return now
    before = graph_of(change.before) if change.before else replace(now, steps=(), edges=(), handlers={})
    by_step = _by_step(change.differences)
    handlers = {key: _merged(before.handlers.get(key, ()), now.handlers.get(key, ()), by_step) for key in GROUPS[1:]}
    return replace(
        now,
        steps=_merged(before.steps, now.steps, by_step),
        edges=tuple(_edges(before.edges, now.edges)),
        handlers={key: nodes for key, nodes in handlers.items() if nodes},
        keys=tuple(_key(it, it.path) for it in change.differences if not _is_of_step(it)),
    )


def _is_of_step(difference: Difference) -> bool:
    return len(difference.path) > 1 and difference.path[0] in GROUPS


def _by_step(differences: Iterable[Difference]) -> dict[str, list[str]]:
    """What has changed in each step, a line for each key."""
    found: dict[str, list[str]] = {}
    for it in differences:
        if _is_of_step(it) and len(it.path) > 2:
            found.setdefault(str(it.path[1]), []).append(_key(it, it.path[2:]))
    return found


def _key(it: Difference, path: Sequence[str | int]) -> str:
    return f"{'.'.join(map(str, path))}: {' -> '.join(_values(it.before, it.after))}"


def _values(*values: object) -> Iterator[str]:
    """Two values on one line; of long ones that begin alike, from just before they differ."""
    texts = ["-" if it is ABSENT or it == {} else " ".join(text_of(it).split()) for it in values]
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(*texts, strict=False)))
    alike = same - BEFORE_A_CHANGE if max(map(len, texts)) > VALUE_AT_MOST else 0
    return (cut(f"…{text[alike:]}" if alike > 0 else text, VALUE_AT_MOST) for text in texts)


def _merged(before: Sequence[Node], now: Sequence[Node], keys: dict[str, list[str]]) -> tuple[Node, ...]:
    """The steps of both, those that are gone behind the one that they stood behind."""
    old = {node.id for node in before}
    found = [_judged(node, old, keys.get(node.id, [])) for node in now]
    place = 0
    for node in before:
        index = next((index for index, it in enumerate(found) if it.id == node.id), None)
        if index is None:
            found.insert(place, replace(node, change="removed"))
            index = place
        place = index + 1
    return tuple(found)


def _judged(node: Node, old: set[str], keys: list[str]) -> Node:
    if node.id not in old:
        return replace(node, change="added")
    return replace(node, change="changed" if keys else "", keys=tuple(keys))


def _edges(before: Sequence[Edge], now: Sequence[Edge]) -> Iterator[Edge]:
    """The edges of both; what is gone and would run backwards now cannot be drawn, and is told by `needs` alone."""
    yield from (edge if edge in before else replace(edge, change="added") for edge in now)
    known = list(now)
    for edge in before:
        if edge not in now and _has_no_cycle([*known, edge]):
            known.append(edge)
            yield replace(edge, change="removed")


def _has_no_cycle(edges: Iterable[Edge]) -> bool:
    graph: dict[str, list[str]] = {}
    for edge in edges:
        graph.setdefault(edge.after, []).append(edge.before)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError:
        return False
    return True
