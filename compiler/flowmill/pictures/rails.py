"""The lines beside a list of steps, as `git log --graph` has them: who waits for whom, in characters."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from flowmill.pictures.graph import Change, Edge, Node

_SIGNS = {
    # above, below, left, right
    (True, True, False, False): "│",
    (True, True, True, False): "┤",
    (True, True, False, True): "├",
    (True, True, True, True): "┼",
    (True, False, True, False): "╯",
    (True, False, False, True): "╰",
    (True, False, True, True): "┴",
    (False, True, True, False): "╮",
    (False, True, False, True): "╭",
    (False, True, True, True): "┬",
}


@dataclass(frozen=True)
class Cell:
    """One character, and what has happened to all that it stands for."""

    sign: str = " "
    change: Change = ""


@dataclass(frozen=True)
class Row:
    """A line of the drawing; with a step, whose place is a `●`, what goes on below it as well."""

    cells: tuple[Cell, ...]
    node: Node | None = None
    below: tuple[Cell, ...] = ()


@dataclass
class _Rails:
    """The lines that go down at the moment.

    Attributes:
        lanes: by column, the step that a line comes from; None where there is none.
        left: by step, the edges that its line still has to serve.
    """

    left: dict[str, list[Edge]]
    lanes: list[str | None] = field(default_factory=list)

    def free(self, start: int) -> int:
        """The first column from `start` on that has no line."""
        taken = enumerate(self.lanes[start:], start=start)
        return next((index for index, lane in taken if lane is None), max(len(self.lanes), start))

    def put(self, column: int, step: str | None) -> None:
        self.lanes += [None] * (column + 1 - len(self.lanes))
        self.lanes[column] = step

    def cells(self, width: int) -> list[Cell]:
        """What stands in the columns where nothing happens."""
        lanes = [*self.lanes, *[None] * (width - len(self.lanes))]
        return [Cell() if step is None else Cell("│", _common(self.left[step])) for step in lanes]


def rows(nodes: Sequence[Node], edges: Iterable[Edge]) -> list[Row]:
    """The whole drawing, each step below all that it waits for."""
    edges = list(edges)
    into: dict[str, list[Edge]] = {node.id: [] for node in nodes}
    rails = _Rails({node.id: [] for node in nodes})
    for edge in edges:
        into[edge.after].append(edge)
        rails.left[edge.before].append(edge)
    found: list[Row] = []
    for node in _in_depth(nodes, edges):
        link, step = _drawn(node, into[node.id], rails)
        found += [link, step] if found else [step]
    return found


def _in_depth(nodes: Sequence[Node], edges: Sequence[Edge]) -> Iterator[Node]:
    """Each step as soon as all before it are there, right behind the last of them: so lines stay short."""
    waits = {node.id: sum(edge.after == node.id for edge in edges) for node in nodes}
    ready = [node for node in nodes if not waits[node.id]][::-1]
    while ready:
        node = ready.pop()
        yield node
        followers = {edge.after for edge in edges if edge.before == node.id}
        for follower in followers:
            waits[follower] -= 1
        ready += [it for it in nodes if it.id in followers and not waits[it.id]][::-1]


def _drawn(node: Node, edges: Sequence[Edge], rails: _Rails) -> tuple[Row, Row]:
    """The row that leads to a step, and the step's own."""
    sources = {rails.lanes.index(edge.before): edge for edge in edges}
    for edge in edges:
        rails.left[edge.before].remove(edge)
    width = len(rails.lanes)
    ending = [column for column, edge in sources.items() if not rails.left[edge.before]]
    for column in ending:
        rails.lanes[column] = None
    column = min(ending) if ending else rails.free(min(sources, default=-1) + 1)
    link = _link(rails, sources, column, max(width, column + 1))
    rails.put(column, node.id)
    cells = rails.cells(len(rails.lanes))
    cells[column] = Cell("●")
    if not rails.left[node.id]:
        rails.lanes[column] = None
    below = rails.cells(len(rails.lanes))
    return Row(link), Row(_spaced(cells), node, _spaced(below))


def _link(rails: _Rails, sources: dict[int, Edge], column: int, width: int) -> tuple[Cell, ...]:
    """The line between two steps: from the columns of its sources to its own."""
    cells = rails.cells(width)
    if not sources:
        return _spaced(cells)
    ends = {*sources, column}
    first, last = min(ends), max(ends)
    change = _common(sources.values())
    for index in range(first, last + 1):
        goes_on = index == column or cells[index] != Cell()
        if index in ends:
            cells[index] = Cell(_SIGNS[index in sources, goes_on, index > first, index < last], change)
        elif not goes_on:
            cells[index] = Cell("─", change)
    return _spaced(cells, range(first, last), change)


def _spaced(cells: Sequence[Cell], joined: range = range(0), change: Change = "") -> tuple[Cell, ...]:
    """The columns with a gap behind each, or a bar where a link leads on to the next."""
    gaps = (Cell("─", change) if index in joined else Cell() for index in range(len(cells)))
    return tuple(it for pair in zip(cells, gaps, strict=True) for it in pair)[:-1]


def _common(edges: Iterable[Edge]) -> Change:
    """What has happened to all of these; nothing where it differs."""
    changes = {edge.change for edge in edges}
    return changes.pop() if len(changes) == 1 else ""
