"""What stands at an offset of a document: a key, a value, a name inside of an expression."""

import re
from dataclasses import dataclass

from yaml import MappingNode, Node, ScalarNode, SequenceNode

from flowmill.diagnostics import Part, Route, Span
from flowmill.elaborating.expression_findings import pieces_of
from flowmill.expressions.language import Path as NamePath
from flowmill.expressions.template import Expression
from flowmill.reading.nodes import extent
from flowmill.reading.tree import Tree

_NAME = re.compile(r"[A-Za-z_][\w]*(?:\s*\.\s*[A-Za-z_][\w-]*|\[\s*(?:'[^']*'|\"[^\"]*\")\s*\])*")
_WORD = re.compile(r"[A-Za-z_][\w-]*")


@dataclass(frozen=True)
class Place:
    """What stands at an offset.

    Attributes:
        route: of the innermost value that it belongs to, or whose key it is.
        on_key: whether it is the key.
        name: the name that an expression looks up there, up to the word at the offset; empty outside of one.
        span: the key, the value, or the last word of the name.
    """

    route: Route
    on_key: bool
    name: NamePath
    span: Span


def place_at(tree: Tree, line: int, column: int) -> Place | None:
    """What stands at a line and a column, both from 1; None where there is nothing."""
    source = tree.sources[tree.root.start_mark.name]
    found = _find(tree.root, (), source.text, line, column, tree)
    if found is None:
        return None
    route, on_key, node = found
    if on_key or not isinstance(node, ScalarNode):
        return Place(route, on_key, (), tree.span(route, at_key=on_key)) if on_key else None
    return _in_scalar(tree, route, node, line, column)


def _find(node: Node, route: Route, text: str, line: int, column: int, tree: Tree) -> tuple[Route, bool, Node] | None:
    pairs = node.value if isinstance(node, MappingNode) else []
    for key, value in pairs:
        if _covers(tree, key, line, column):
            return (*route, key.value), True, key
        if found := _inside(value, (*route, key.value), text, line, column, tree):
            return found
    for index, item in enumerate(node.value if isinstance(node, SequenceNode) else []):
        if found := _inside(item, (*route, index), text, line, column, tree):
            return found
    return None


def _inside(node: Node, route: Route, text: str, line: int, column: int, tree: Tree) -> tuple[Route, bool, Node] | None:
    if not _covers(tree, node, line, column):
        return None
    return (route, False, node) if isinstance(node, ScalarNode) else _find(node, route, text, line, column, tree)


def _covers(tree: Tree, node: Node, line: int, column: int) -> bool:
    source = tree.sources.get(node.start_mark.name)
    if source is None:
        return False
    span = source.span(*extent(node, source.text))
    return (span.line, span.column) <= (line, column) <= (span.end_line, span.end_column)


def _in_scalar(tree: Tree, route: Route, node: ScalarNode, line: int, column: int) -> Place:
    for start, end, name in names_in(node.value, route):
        span = tree.span(route, part=Part(start, end))
        if (span.line, span.column) <= (line, column) <= (span.end_line, span.end_column):
            return Place(route, False, name, span)
    return Place(route, False, (), tree.span(route))


def names_in(text: str, route: Route) -> list[tuple[int, int, NamePath]]:
    """Every word of the names in the expressions of a text: where it stands in it, and the name up to it."""
    found = []
    for piece in pieces_of(text, route):
        if isinstance(piece, Expression):
            for match in _NAME.finditer(_without_texts(piece.source)):
                words: list[str] = []
                for word in _WORD.finditer(piece.source, match.start(), match.end()):
                    words.append(word[0])
                    found.append((piece.start + word.start(), piece.start + word.end(), tuple(words)))
    return found


def _without_texts(source: str) -> str:
    """The source with every quoted text blanked that is no key in brackets."""
    return re.sub(r"(?<!\[)('[^']*'|\"[^\"]*\")", lambda text: " " * len(text[0]), source)
