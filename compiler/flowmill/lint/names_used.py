"""Which of the names that a flow declares are used in its expressions, and where those are written."""

from collections.abc import Iterable, Iterator
from typing import Any

import yaml

from flowmill.diagnostics import Route
from flowmill.elaborating.expression_findings import texts
from flowmill.expressions.language import Parsed, Path, parse
from flowmill.expressions.template import Expression, has_expression, split
from flowmill.lint.subjects import LintedFlow
from flowmill.reading.parse import parse_tree
from flowmill.reading.tree import Tree


def unused(flow: LintedFlow, kind: str) -> Iterator[Route]:
    """The routes of those `vars` or `parameters` that the flow's own file declares and no expression uses."""
    written = flow.bound.written.get(kind)
    own = [(kind, name) for name in (written if isinstance(written, dict) else ()) if _is_own(flow, (kind, name))]
    left = _without_used(own, (path for _, _, parsed in flow.expressions for path in parsed.references)) if own else []
    # What is replaced in this environment may be what uses a name in another.
    left = _without_used(left, _paths(_of_file(flow))) if left else []
    yield from (route for route in left if not _is_aliased(flow.tree, route))


def _without_used(routes: list[tuple[str, str]], paths: Iterable[Path]) -> list[tuple[str, str]]:
    used = {path[:2] for path in paths}
    # As a whole, or by an index that only the run knows, every one of them is used.
    return [route for route in routes if route not in used and route[:1] not in used]


def _is_own(flow: LintedFlow, route: Route) -> bool:
    """Whether the flow's own file has it: what is inherited is for others to use."""
    return flow.tree.span(route, at_key=True).path == flow.tree.span(()).path


def _of_file(flow: LintedFlow) -> dict[str, Any]:
    """The flow's own file, before anything is laid over it."""
    tree = parse_tree(flow.tree.sources[flow.tree.span(()).path])
    return tree.plain() if isinstance(tree, Tree) else {}


def _paths(value: Any) -> Iterator[Path]:
    """The names in all expressions."""
    for route, text in texts(value, ()):
        is_condition = route[-1:] == ("if",)
        pieces = split(text) if has_expression(text) else (Expression(text, 0),) if is_condition else ()
        for piece in pieces if isinstance(pieces, tuple) else ():
            parsed = parse(piece.source) if isinstance(piece, Expression) else None
            if isinstance(parsed, Parsed):
                yield from parsed.references


def _is_aliased(tree: Tree, route: Route) -> bool:
    """Whether YAML's `*name` brings the value, or a part of it, to another place as well."""
    declared = tree.at(route)
    if declared is None:
        return False
    inside = {_place(node) for node in _nodes(declared)}
    everywhere = [_place(node) for node in _nodes(tree.root)]
    return len(inside) < sum(place in inside for place in everywhere)


def _nodes(node: yaml.Node) -> Iterator[yaml.Node]:
    yield node
    for child in node.value if isinstance(node, yaml.CollectionNode) else ():
        for part in child if isinstance(child, tuple) else (child,):
            yield from _nodes(part)


def _place(node: yaml.Node) -> tuple[str, int, int]:
    return node.start_mark.name, node.start_mark.index, node.end_mark.index
