"""Where everything of a drawn graph lies, in pixels: boxes with their lines of text, arrows, headings."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from flowmill.pictures.graph import Change, Graph, Node, in_words
from flowmill.pictures.layout import Layout, laid_out

MARGIN, PADDING, SHADOW = 16, 12, 4
NAME_SIZE, TEXT_SIZE, HEADING_SIZE = 13, 11.5, 12
_NAME_LINE, _TEXT_LINE, _HEADING_LINE = 20, 15, 26
_NAME_WIDTH, _TEXT_WIDTH = 7.9, 6.4
"""Of a character, in the widest fonts that a browser may take."""
_NARROWEST, _LETTERS_AT_MOST, _LINES_AT_MOST = 120, 34, 2
_BETWEEN_LAYERS, _BETWEEN_BOXES, _BETWEEN_GROUPS = 46, 18, 30
_WIDE = 1000
"""Up to here layers go from left to right, which is how people read."""

Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """A step: its corner at the top left, its size, and the lines below its id."""

    node: Node
    x: float
    y: float
    width: float
    height: float
    lines: tuple[str, ...]

    def at(self, x: float, y: float) -> "Box":
        """The same box somewhere else."""
        return replace(self, x=x, y=y)

    @property
    def middle(self) -> Point:
        return self.x + self.width / 2, self.y + self.height / 2


@dataclass(frozen=True)
class Arrow:
    """A line from step to step: curves between `points[1]` and `[2]`, `[3]` and `[4]` …, straight otherwise."""

    before: str
    after: str
    points: tuple[Point, ...]
    is_upright: bool
    change: Change = ""


@dataclass(frozen=True)
class Heading:
    """What stands above a group of boxes."""

    text: str
    x: float
    y: float


@dataclass(frozen=True)
class Canvas:
    """A whole picture."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    headings: tuple[Heading, ...]


def drawn(graph: Graph) -> Canvas:
    """The steps in layers, and below them the handlers, a short row for each kind."""
    boxes = {node.id: box for node, box in zip(graph.nodes, _boxes(graph.nodes), strict=True)}
    places, arrows = _graph(graph, boxes)
    headings = []
    top = max((box.y + box.height for box in places), default=0) + _BETWEEN_GROUPS
    rows = [(in_words(key), [boxes[node.id] for node in nodes]) for key, nodes in graph.handlers.items()]
    for heading, row in _handlers(rows, top, max(_WIDE, _right(places, arrows))):
        headings.append(heading)
        places += row
        arrows += _in_order(row)
    bottom = max((box.y + box.height for box in places), default=0)
    return Canvas(_right(places, arrows) + MARGIN, bottom + MARGIN, tuple(places), tuple(arrows), tuple(headings))


def _right(boxes: Iterable[Box], arrows: Iterable[Arrow]) -> float:
    """Where the last of it ends, with what a box of many elements casts."""
    return max([0, *(box.x + box.width + SHADOW for box in boxes), *(x for it in arrows for x, _ in it.points)])


def _handlers(rows: Iterable[tuple[str, list[Box]]], top: float, right: float) -> Iterator[tuple[Heading, list[Box]]]:
    """Each kind of handler beside the last one, or below where that would be too wide."""
    x: float = MARGIN
    bottom = top
    for text, boxes in rows:
        if x > MARGIN and x + sum(box.width + _BETWEEN_LAYERS for box in boxes) - _BETWEEN_LAYERS > right:
            x, top = MARGIN, bottom + _BETWEEN_GROUPS
        row = list(_row(boxes, x, top + _HEADING_LINE - HEADING_SIZE))
        yield Heading(text, x, top), row
        bottom = max(bottom, *(box.y + box.height for box in row))
        x = row[-1].x + row[-1].width + _BETWEEN_BOXES


def _boxes(nodes: Sequence[Node]) -> Iterator[Box]:
    """The boxes, all of one width, nowhere yet."""
    lines = [tuple(_lines(node)) for node in nodes]
    names = max((len(node.id) * _NAME_WIDTH for node in nodes), default=0)
    texts = max((len(line) * _TEXT_WIDTH for its in lines for line in its), default=0)
    width = round(max(names, texts, _NARROWEST - 2 * PADDING) + 2 * PADDING)
    for node, its in zip(nodes, lines, strict=True):
        yield Box(node, 0, 0, width, _NAME_LINE + len(its) * _TEXT_LINE + PADDING, its)


def _lines(node: Node) -> Iterator[str]:
    """What a box says below the id: in few words, the whole is in its title."""
    title = f"{node.type} · {node.name}" if node.name else node.type
    news = (f"{node.change}: {', '.join(node.changed_keys)}".removesuffix(": "),) if node.change else ()
    for text in (title, *_together(node.marks), *news):
        yield from textwrap.wrap(text, _LETTERS_AT_MOST, max_lines=_LINES_AT_MOST, placeholder=" …")


def _together(marks: Iterable[str]) -> list[str]:
    """The marks, several on a line where they fit."""
    lines: list[str] = []
    for mark in marks:
        joined = f"{lines[-1]} · {mark}" if lines else mark
        lines[max(len(lines) - 1, 0) :] = [joined] if len(joined) <= _LETTERS_AT_MOST else [*lines[-1:], mark]
    return lines


def _graph(graph: Graph, boxes: dict[str, Box]) -> tuple[list[Box], list[Arrow]]:
    """The boxes of the steps in their places, and the arrows between them."""
    layout = laid_out([node.id for node in graph.steps], [(edge.before, edge.after) for edge in graph.edges])
    if not graph.steps:
        return [], []
    grid = _Grid(layout, [boxes[node.id] for node in graph.steps])
    places = {node.id: grid.box(boxes[node.id]) for node in graph.steps}
    arrows = [
        Arrow(edge.before, edge.after, grid.way(places, edge.before, edge.after), grid.is_upright, edge.change)
        for edge in graph.edges
    ]
    return list(places.values()), arrows


class _Grid:
    """Turns places of a layout into pixels: layers as columns where that is not too wide, else as rows."""

    def __init__(self, layout: Layout, boxes: Sequence[Box]) -> None:
        self._layout = layout
        self._width = boxes[0].width
        self._height = max(box.height for box in boxes)
        sideways = layout.depth * (self._width + _BETWEEN_LAYERS)
        downwards = layout.breadth * (self._width + _BETWEEN_BOXES)
        self.is_upright = sideways > max(_WIDE, downwards) or (sideways > _WIDE and downwards <= sideways)
        depths = [max(box.height for box in boxes if layout.nodes[box.node.id][0] == it) for it in range(layout.depth)]
        sizes = depths if self.is_upright else [self._width] * layout.depth
        self._starts = [MARGIN + sum(sizes[:index]) + index * _BETWEEN_LAYERS for index in range(layout.depth)]
        self._ends = [start + size for start, size in zip(self._starts, sizes, strict=True)]

    def box(self, box: Box) -> Box:
        layer, along = self._layout.nodes[box.node.id]
        if self.is_upright:
            return box.at(self._middle(along) - box.width / 2, self._starts[layer])
        return box.at(self._starts[layer], self._middle(along) - box.height / 2)

    def way(self, places: dict[str, Box], before: str, after: str) -> tuple[Point, ...]:
        """From the end of a box past every layer between to the beginning of another."""
        (first, start), *between, (last, end) = self._layout.links[before, after]
        leaving, entering = places[before], places[after]
        left = leaving.y + leaving.height if self.is_upright else leaving.x + leaving.width
        reached = entering.y if self.is_upright else entering.x
        passed = [point for layer, at in between for point in self._across(layer, at)]
        stops = [(left, start), (self._ends[first], start), *passed, (self._starts[last], end), (reached, end)]
        return tuple(self._point(deep, along) for deep, along in stops)

    def _across(self, layer: int, along: float) -> Iterator[tuple[float, float]]:
        yield self._starts[layer], along
        yield self._ends[layer], along

    def _point(self, deep: float, along: float) -> Point:
        return (self._middle(along), deep) if self.is_upright else (deep, self._middle(along))

    def _middle(self, along: float) -> float:
        size = self._width if self.is_upright else self._height
        return MARGIN + size / 2 + along * (size + _BETWEEN_BOXES)


def _row(boxes: Iterable[Box], x: float, top: float) -> Iterator[Box]:
    for box in boxes:
        yield box.at(x, top)
        x += box.width + _BETWEEN_LAYERS


def _in_order(row: Sequence[Box]) -> Iterator[Arrow]:
    """Arrows along a row, at the height of the ids."""
    for one, other in pairwise(row):
        y = one.y + PADDING / 2 + _NAME_LINE / 2
        yield Arrow(one.node.id, other.node.id, ((one.x + one.width, y), (other.x, y)), False)
