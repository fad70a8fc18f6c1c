"""The outline of a flow: its steps and those of its handlers."""

from collections.abc import Iterator

from lsprotocol import types

from flowmill.editor.names import all_steps
from flowmill.editor.positions import Positions
from flowmill.reading.tree import Tree


def symbols(tree: Tree, positions: Positions) -> Iterator[types.DocumentSymbol]:
    """A symbol for each step, called by its id, or by its number where it has none."""
    for route, step in all_steps(tree.plain()):
        place = positions.range(tree.span(route))
        yield types.DocumentSymbol(
            name=str(step.get("id") or f"{route[0]}_{int(route[1]) + 1}"),
            detail=str(step.get("type", "")),
            kind=types.SymbolKind.Function,
            range=place,
            selection_range=positions.range(tree.span((*route, "id"))) if "id" in step else place,
        )
