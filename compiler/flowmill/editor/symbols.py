"""The outline of a flow: its steps and those of its handlers."""

from collections.abc import Iterator

from lsprotocol import types

from flowmill.editor.positions import Positions
from flowmill.reading.tree import Tree
from flowmill.spec import GROUPS


def symbols(tree: Tree, positions: Positions) -> Iterator[types.DocumentSymbol]:
    """A symbol for each step, called by its id, or by its number where it has none."""
    keys = tree.plain()
    for group in GROUPS:
        steps = keys.get(group)
        for index, step in enumerate(steps if isinstance(steps, list) else []):
            if isinstance(step, dict):
                place = positions.range(tree.span((group, index)))
                yield types.DocumentSymbol(
                    name=str(step.get("id") or f"{group}_{index + 1}"),
                    detail=str(step.get("type", "")),
                    kind=types.SymbolKind.Function,
                    range=place,
                    selection_range=positions.range(tree.span((group, index, "id"))) if "id" in step else place,
                )
