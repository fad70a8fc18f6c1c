"""A flow as lines of text: a row for each step, and on its left the lines that lead from step to step.

A step's line goes down from it until the last step that waits for it; where lines cross, `─│─` is no meeting.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from flowmill.pictures.graph import Change, Edge, Graph, Node, counted_steps, in_words
from flowmill.pictures.rails import Cell, Row, rows
from flowmill.report.explanation import cut
from flowmill.report.style import Style

MARK_AT_MOST, KEY_AT_MOST = 48, 100
_SIGNS: dict[Change, str] = {"": "●", "added": "+", "removed": "-", "changed": "~"}
_COLOURS: dict[Change, str] = {"added": "green", "removed": "red", "changed": "yellow"}
_CONDITIONAL = "◇"


@dataclass(frozen=True)
class _Columns:
    """How wide the columns of all rows are, so that they stand below each other."""

    rails: int
    ids: int
    types: int


ENDINGS = (".txt",)


def draw(graph: Graph, style: Style) -> str:
    """The steps, the handlers apart, and what has changed where it is compared."""
    groups = {"": rows(graph.steps, graph.edges)}
    groups |= {key: rows(nodes, _one_after_another(nodes)) for key, nodes in graph.handlers.items()}
    columns = _Columns(
        max((len(row.cells) for its in groups.values() for row in its), default=0),
        max((len(node.id) for node in graph.nodes), default=0),
        max((len(node.type) for node in graph.nodes), default=0),
    )
    lines = [style.paint(f"{graph.name} in {graph.where}", "bold")]
    lines += [style.paint(cut(key, KEY_AT_MOST), "yellow") for key in graph.keys]
    for key, its in groups.items():
        lines += ["", *([style.paint(in_words(key), "dim")] if key else [])]
        lines += [line for row in its for line in _lines(row, columns, style)]
    return "\n".join([*(line.rstrip() for line in lines), "", _summary(graph, style)]) + "\n"


def _one_after_another(nodes: Sequence[Node]) -> list[Edge]:
    return [Edge(one.id, other.id) for one, other in pairwise(nodes)]


def _lines(row: Row, columns: _Columns, style: Style) -> Iterator[str]:
    """A row: lines alone, or a step with all that is said about it."""
    node = row.node
    if node is None:
        yield _rails(row.cells, columns, style)
        return
    cells = [_sign(node) if cell.sign == "●" else cell for cell in row.cells]
    name = _painted(f"{node.id:<{columns.ids}}", node.change, style, "bold")
    kind = style.paint(f"{node.type:<{columns.types}}", "dim")
    marks = " · ".join(cut(mark, MARK_AT_MOST) for mark in (*filter(None, [node.name]), *node.marks))
    yield f"{_rails(cells, columns, style)}  {name}  {kind}  {marks}"
    for key in node.keys:
        yield f"{_rails(row.below, columns, style)}    {_painted(cut(key, KEY_AT_MOST), node.change, style)}"


def _sign(node: Node) -> Cell:
    return Cell(_CONDITIONAL if node.condition and not node.change else _SIGNS[node.change], node.change)


def _rails(cells: Sequence[Cell], columns: _Columns, style: Style) -> str:
    return "".join(_painted(cell.sign, cell.change, style) for cell in cells) + " " * (columns.rails - len(cells))


def _painted(text: str, change: Change, style: Style, otherwise: str = "") -> str:
    colour = _COLOURS.get(change, otherwise)
    return style.paint(text, colour) if colour else text


def _summary(graph: Graph, style: Style) -> str:
    words = [counted_steps(graph)]
    if any(node.condition for node in graph.nodes):
        words.append(f"{_CONDITIONAL} runs only under a condition")
    if graph.against:
        words.append(f"against {graph.against}: {', '.join(_counts(graph.nodes)) or 'no step has changed'}")
    return style.paint("; ".join(words), "dim")


def _counts(nodes: Iterable[Node]) -> Iterator[str]:
    changes = [node.change for node in nodes]
    return (f"{changes.count(kind)} {kind}" for kind in ("added", "removed", "changed") if kind in changes)
