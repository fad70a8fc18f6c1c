"""A flow as Mermaid's text, which GitHub and GitLab draw where it stands in a page."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from flowmill.pictures.graph import Change, Edge, Graph, Node, counted_steps, in_words
from flowmill.report.explanation import cut
from flowmill.report.style import Style

MARK_AT_MOST = 60
_SPECIAL = re.compile(r"[\"#&<>`%$;*_~\\]")
"""What means something to Mermaid, or to the HTML that it makes, even between quotes."""
_MADE_INTO = re.compile(r"(?<=\$)(?=\$)|(?<=\\)(?=n)|(?<=\bfa)(?=\w?:fa-)")
"""Where two characters would become a formula, a new line, an icon, however they are escaped."""
_STATEMENT = re.compile(r"s(?=tyle)|c(?=lassDef)")
"""The first letter of words behind which Mermaid takes a `;` away, wherever they stand."""
_BREAK = "<wbr/>"
_COLOURS: dict[Change, str] = {
    "added": "fill:#dafbe1,stroke:#1a7f37,color:#1f2328",
    "removed": "fill:#ffebe9,stroke:#cf222e,color:#1f2328,stroke-dasharray:4 3",
    "changed": "fill:#fff8c5,stroke:#9a6700,color:#1f2328",
}
_LINES: dict[Change, str] = {"added": "stroke:#1a7f37,stroke-width:2px", "removed": "stroke:#cf222e,stroke-width:2px"}


ENDINGS = (".mmd", ".mermaid")


def draw(graph: Graph, style: Style) -> str:
    """A flowchart, in which steps have numbers for names: no id can mean something else there."""
    names = {node.id: f"step{number}" for number, node in enumerate(graph.nodes, start=1)}
    title = f"{graph.name} in {graph.where}"
    against = f", against {graph.against}" if graph.against else ""
    lines = ["---", f"title: {json.dumps(title + against, ensure_ascii=False)}", "---", "flowchart LR"]
    lines += [f"  accTitle: {title}", f"  accDescr: {counted_steps(graph)}"]
    lines += [f"  {_node(node, names)}" for node in graph.steps]
    edges = list(graph.edges)
    lines += [f"  {_edge(edge, names)}" for edge in edges]
    for number, (key, nodes) in enumerate(graph.handlers.items(), start=1):
        handler_edges = [Edge(one.id, other.id) for one, other in pairwise(nodes)]
        edges += handler_edges
        lines += _handlers(f"handlers{number}", in_words(key), [_node(it, names) for it in nodes])
        lines += [f"  {_edge(edge, names)}" for edge in handler_edges]
    return "\n".join([*lines, *_colours(graph.nodes, edges, names)]) + "\n"


def _handlers(name: str, heading: str, nodes: Iterable[str]) -> Iterator[str]:
    yield f'  subgraph {name}["{heading}"]'
    yield from (f"    {node}" for node in nodes)
    yield "  end"


def _node(node: Node, names: Mapping[str, str]) -> str:
    """A step: a box, with bars at its sides where it runs for each element, six-cornered where it has a condition."""
    first = f"{node.type} · {node.name}" if node.name else node.type
    news = (f"{node.change}: {', '.join(node.changed_keys)}".removesuffix(": "),) if node.change else ()
    lines = (node.id, *(cut(line, MARK_AT_MOST) for line in (first, *node.marks, *news)))
    label = '"' + "<br/>".join(map(escaped, lines)) + '"'
    left, right = ("[[", "]]") if node.is_repeated else ("{{", "}}") if node.condition else ("[", "]")
    return f"{names[node.id]}{left}{label}{right}"


def escaped(text: str) -> str:
    """A text that may stand between quotes."""
    return _BREAK.join(_STATEMENT.sub(_code, _SPECIAL.sub(_code, part)) for part in _MADE_INTO.split(text))


def _code(match: re.Match[str]) -> str:
    return f"#{ord(match[0])};"


def _edge(edge: Edge, names: Mapping[str, str]) -> str:
    arrow = "-.->" if edge.change == "removed" else "-->"
    return f"{names[edge.before]} {arrow} {names[edge.after]}"


def _colours(nodes: Iterable[Node], edges: Iterable[Edge], names: Mapping[str, str]) -> Iterator[str]:
    """The classes of what has changed; lines are called by their numbers."""
    for change, look in _COLOURS.items():
        members = [names[node.id] for node in nodes if node.change == change]
        if members:
            yield f"  classDef {change} {look}"
            yield f"  class {','.join(members)} {change}"
    for number, edge in enumerate(edges):
        if edge.change in _LINES:
            yield f"  linkStyle {number} {_LINES[edge.change]}"
