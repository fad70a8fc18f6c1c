"""Graphs that are hard to draw, and flows as they are written."""

import random
from collections.abc import Iterable, Sequence
from itertools import pairwise

from flowmill.pictures.graph import Edge, Graph, Node

HOSTILE = [
    "end",
    'a "quoted" name',
    "`code`",
    "**bold** and _it_",
    "1. first",
    "- item",
    "# head",
    "<b>x</b><script>alert(1)</script>",
    '100% %%{init: {"theme":"dark"}}%%',
    "a;b",
    "$$x^2$$ ${{ y }}",
    "x --> y",
    "subgraph z",
    "[[a]] {b} (c) |d|",
    "#35; &amp; & &lt;",
    'click step1 href "javascript:alert(1)"',
    "a\\nb \\",
    "é ü 漢字 🎉",
    '"]; step1["',
    "style step1 fill:#f00;",
    "classDef x fill:#f00;",
    "@{ shape: x }",
    "fa:fa-car fab:fa-x",
    "~~x~~",
    "a:::b",
    "]]>",
    "it's",
    "http://example.org/x",
]
"""Names that mean something to Mermaid, to Markdown, to HTML, to XML."""
KEYWORDS = ("end", "default", "graph", "style", "class", "subgraph", "click", "x", "o")
"""Ids that a flowchart has other uses for."""


def graph(ids: Iterable[str], edges: Iterable[tuple[str, str]]) -> Graph:
    return Graph(
        "demo.job", "staging on etl-01", tuple(Node(it, "script") for it in ids), tuple(Edge(*it) for it in edges), {}
    )


def hostile() -> Graph:
    """A step for each bad name, as its name and in its marks, behind one another; ids are keywords where there are."""
    ids = [*KEYWORDS, *(f"step-{number}" for number in range(len(HOSTILE)))][: len(HOSTILE)]
    nodes = tuple(
        Node(its, "script", name, (f"if {name}",), name if number % 3 == 0 else "", is_repeated=number % 3 == 1)
        for number, (its, name) in enumerate(zip(ids, HOSTILE, strict=True))
    )
    edges = tuple(Edge(one.id, other.id) for one, other in pairwise(nodes))
    handlers = {
        "on_failure": (Node("flowchart", "slack"), Node("direction", "email")),
        "finally": (Node("lr", "script"),),
    }
    return Graph("demo.end", "staging on etl-01", nodes, edges, handlers)


def wide(count: int) -> Graph:
    """One step, then many beside each other, then one."""
    middle = [f"part-{number}" for number in range(count)]
    return graph(["first", *middle, "last"], [*(("first", it) for it in middle), *((it, "last") for it in middle)])


def chance(seed: int, count: int = 50) -> Graph:
    """Steps that wait for some of those before them."""
    random_one = random.Random(seed)
    ids = [f"s{number}" for number in range(count)]
    edges: set[tuple[str, str]] = set()
    for number in range(1, count):
        for before in random_one.sample(range(number), k=min(number, random_one.randint(0, 3))):
            edges.add((ids[before], ids[number]))
    return graph(ids, sorted(edges))


def edges_of(drawn: Graph) -> set[tuple[str, str]]:
    return {(edge.before, edge.after) for edge in drawn.edges}


SAMPLES: Sequence[tuple[str, Graph]] = [
    ("hostile", hostile()),
    ("wide", wide(12)),
    ("one", graph(["only"], [])),
    ("apart", graph("abc", [])),
    ("past a layer", graph("abcd", [("a", "b"), ("b", "c"), ("c", "d"), ("a", "d"), ("a", "c"), ("b", "d")])),
    *((f"fifty {seed}", chance(seed)) for seed in range(6)),
]
