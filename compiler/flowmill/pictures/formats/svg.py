"""A flow as one SVG file: no script, nothing from elsewhere, light and dark, its text can be read and selected.

The group of each step has `id="step-<id>"` and `data-step="<id>"`, so that a page can link to it.
"""

from collections.abc import Iterator
from importlib.resources import files
from itertools import pairwise
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from flowmill.pictures.canvas import (
    MARGIN,
    NAME_SIZE,
    PADDING,
    SHADOW,
    Arrow,
    Box,
    Canvas,
    Point,
    drawn,
)
from flowmill.pictures.graph import Graph, Node, counted_steps
from flowmill.report.explanation import cut
from flowmill.report.style import Style

_LINE, _LETTER = 17, 6.4
_LETTERS_AT_MOST = 110


ENDINGS = (".svg",)


def draw(graph: Graph, style: Style) -> str:
    """The picture of a graph."""
    canvas = drawn(graph)
    news = list(_news(graph))
    root = _root(graph, canvas, news)
    for arrow in canvas.arrows:
        _draw_arrow(root, arrow)
    for box in canvas.boxes:
        _draw_box(root, box)
    for heading in canvas.headings:
        _write(root, heading.text, heading.x, heading.y, "heading")
    for number, (text, change) in enumerate(news, start=1):
        group = SubElement(root, "g", {"class": change})
        _write(group, text, MARGIN, canvas.height + number * _LINE, "news" if change else "heading")
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _root(graph: Graph, canvas: Canvas, news: list[tuple[str, str]]) -> Element:
    letters = max((len(text) for text, _ in news), default=0)
    width = max(canvas.width, letters * _LETTER + 2 * MARGIN)
    height = canvas.height + (len(news) * _LINE + MARGIN if news else 0)
    name = f"graph-{graph.name}-{graph.where.partition(' ')[0]}"
    root = Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "class": "flowmill-graph",
            "role": "group",
            "aria-labelledby": f"{name}-title {name}-desc",
            "viewBox": f"0 0 {_number(width)} {_number(height)}",
            "width": _number(width),
            "height": _number(height),
            "style": "max-width: 100%; height: auto",
        },
    )
    SubElement(root, "title", {"id": f"{name}-title"}).text = f"{graph.name} in {graph.where}"
    SubElement(root, "desc", {"id": f"{name}-desc"}).text = _description(graph)
    SubElement(root, "style").text = files("flowmill.pictures").joinpath("graph.css").read_text(encoding="utf-8")
    SubElement(root, "rect", {"class": "ground", "width": "100%", "height": "100%"})
    return root


def _description(graph: Graph) -> str:
    """The picture in words, for those who do not see it."""
    needs: dict[str, list[str]] = {}
    for edge in graph.edges:
        if edge.change != "removed":
            needs.setdefault(edge.after, []).append(edge.before)
    told = (f"{it.id} after {', '.join(needs[it.id])}" if it.id in needs else it.id for it in graph.steps)
    return f"{counted_steps(graph)}: {'; '.join(told)}."


def _news(graph: Graph) -> Iterator[tuple[str, str]]:
    """What has changed, line by line, each with its kind."""
    if not graph.against:
        return
    changed = [node for node in graph.nodes if node.change]
    nothing = "" if changed or graph.keys else ": nothing has changed"
    yield f"Against {graph.against}{nothing}", ""
    for key in graph.keys:
        yield cut(key, _LETTERS_AT_MOST), "changed"
    for node in changed:
        lines = [f"{node.id}.{key}" for key in node.keys] if node.change == "changed" else [f"{node.id} {node.change}"]
        yield from ((cut(line, _LETTERS_AT_MOST), node.change) for line in lines)


def _draw_box(root: Element, box: Box) -> None:
    node = box.node
    marks = ["step", node.change, "conditional" if node.condition else "", "repeated" if node.is_repeated else ""]
    attributes = {"id": f"step-{node.id}", "data-step": node.id, "class": " ".join(filter(None, marks))}
    group = SubElement(root, "g", attributes)
    SubElement(group, "title").text = _title(node)
    size = {"width": _number(box.width), "height": _number(box.height), "rx": "7"}
    for shift in (SHADOW, 0) if node.is_repeated else (0,):
        look = {"class": "box shadow" if shift else "box", "x": _number(box.x + shift), "y": _number(box.y + shift)}
        SubElement(group, "rect", look | size)
    _write(group, node.id, box.x + PADDING, box.y + PADDING + NAME_SIZE - 5, "name")
    for number, line in enumerate(box.lines, start=1):
        is_news = number == len(box.lines) and node.change
        y = box.y + PADDING + NAME_SIZE - 3 + number * 15
        _write(group, line, box.x + PADDING, y, "news" if is_news else "more")


def _title(node: Node) -> str:
    return "\n".join([f"{node.id} ({node.type})", *filter(None, [node.name]), *node.marks, *node.keys])


def _draw_arrow(root: Element, arrow: Arrow) -> None:
    attributes = {"class": f"edge {arrow.change}".strip(), "data-from": arrow.before, "data-to": arrow.after}
    group = SubElement(root, "g", attributes)
    SubElement(group, "path", {"class": "line", "d": _way(arrow)})
    (x, y) = arrow.points[-1]
    back = "l -4.5 -8 h 9 z" if arrow.is_upright else "l -8 -4.5 v 9 z"
    SubElement(group, "path", {"class": "head", "d": f"M {_number(x)} {_number(y)} {back}"})


def _way(arrow: Arrow) -> str:
    """Straight along layers, curved between them."""
    parts = [f"M {_point(arrow.points[0])}"]
    for index, (one, other) in enumerate(pairwise(arrow.points)):
        parts.append(_curve(one, other, arrow.is_upright) if index % 2 else f"L {_point(other)}")
    return " ".join(parts)


def _curve(one: Point, other: Point, is_upright: bool) -> str:
    (x, y), (to_x, to_y) = one, other
    half_x, half_y = (x + to_x) / 2, (y + to_y) / 2
    bends = ((x, half_y), (to_x, half_y)) if is_upright else ((half_x, y), (half_x, to_y))
    return f"C {_point(bends[0])} {_point(bends[1])} {_point(other)}"


def _write(parent: Element, text: str, x: float, y: float, look: str) -> None:
    SubElement(parent, "text", {"class": look, "x": _number(x), "y": _number(y)}).text = text


def _point(point: Point) -> str:
    return f"{_number(point[0])} {_number(point[1])}"


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
