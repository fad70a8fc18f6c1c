"""PyYAML's nodes: their values, their extent in the text, and copies of them merged."""

import re
from typing import Any

from yaml import CollectionNode, MappingNode, Node, ScalarNode

from flowmill_tasks.fields import Plain

UNTYPED = "?"
"""The tag of every node: types are decided later, by the key that a value belongs to."""
NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_PROPERTIES = re.compile(r"(?:[&!][^\s,\[\]{}]*\s*(?:#.*\s*)*)+")


def child(node: Node, step: str | int) -> tuple[Node | None, Node] | None:
    if isinstance(node, MappingNode):
        return next((pair for pair in node.value if pair[0].value == step), None)
    if isinstance(node, ScalarNode) or not isinstance(step, int) or not 0 <= step < len(node.value):
        return None
    return None, node.value[step]


def children(node: Node) -> list[Node]:
    return [child for pair in node.value for child in pair] if isinstance(node, MappingNode) else node.value


def plain(node: Node) -> Any:
    if isinstance(node, ScalarNode):
        if node.style:
            return node.value
        return None if node.value in NULLS else Plain(node.value)
    if isinstance(node, MappingNode):
        return {key.value: plain(value) for key, value in node.value}
    return [plain(item) for item in node.value]


def like(node: MappingNode, pairs: list[tuple[ScalarNode, Node]]) -> MappingNode:
    return MappingNode(UNTYPED, pairs, node.start_mark, node.end_mark, node.flow_style)


def overlaid(below: MappingNode, above: MappingNode) -> MappingNode:
    if not above.value and below.value:
        return below
    pairs = {key.value: (key, value) for key, value in below.value}
    for key, value in above.value:
        replaced = pairs.get(key.value, (None, None))[1]
        both_maps = isinstance(replaced, MappingNode) and isinstance(value, MappingNode)
        pairs[key.value] = (key, overlaid(replaced, value) if both_maps else value)
    return like(above, list(pairs.values()))


def is_empty(node: Node) -> bool:
    return isinstance(node, ScalarNode) and bool(node.start_mark.index == node.end_mark.index)


def extent(node: Node, text: str) -> tuple[int, int]:
    """Where a node's own text begins and ends: without its anchor, and without the blank lines after it."""
    start = _content_start(node, text)
    return start, max(start, _content_end(node, text))


def _content_start(node: Node, text: str) -> int:
    start: int = node.start_mark.index
    match = _PROPERTIES.match(text, start)
    return min(match.end(), node.end_mark.index) if match else start


def _content_end(node: Node, text: str) -> int:
    start, end = node.start_mark.index, node.end_mark.index
    if isinstance(node, CollectionNode):
        if node.flow_style:
            return int(end)
        for child in children(node)[:-3:-1]:  # an alias stands elsewhere, and so may a child of a merged map
            stands_here = child is not node and child.start_mark.name == node.start_mark.name
            if stands_here and start <= child.start_mark.index <= child.end_mark.index <= end:
                return _content_end(child, text)
    return start + len(text[start:end].rstrip(" \t\r\n"))
