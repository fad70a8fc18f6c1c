"""A drawing in text can be read back: its lines lead from every step to exactly those that wait for it."""

from itertools import pairwise

import pytest

from flowmill.pictures.formats.text import draw
from flowmill.pictures.graph import Edge, Graph, Node
from flowmill.pictures.rails import Row, rows
from flowmill.report.style import Style
from pictures.samples import SAMPLES, chance, edges_of, graph, hostile, wide

ABOVE, BELOW = set("│┤├┼╯╰┴"), set("│┤├┼╮╭┬")


def read(drawing: list[Row]) -> set[tuple[str, str]]:
    """The edges, by following the characters."""
    lanes: dict[int, str] = {}
    found: set[tuple[str, str]] = set()
    link = ""
    for row in drawing:
        signs = "".join(cell.sign for cell in row.cells)
        if row.node is None:
            link = signs
            continue
        column = signs.index("●")
        found |= {(lanes[it], row.node.id) for it in sources(link, column)}
        lanes = {it: lane for it, lane in lanes.items() if it != column and it < len(signs) and signs[it] == "│"}
        lanes[column] = row.node.id
    return found


def sources(link: str, column: int) -> list[int]:
    """The columns whose lines reach a column of the row below; where a line crosses another it goes under it."""
    joined = {column}
    for direction in (-1, 1):
        at = column
        while 0 <= at + direction < len(link) and link[at + direction] == "─":
            at += 2 * direction
            if link[at] not in "│─":
                joined.add(at)
    return [at for at in joined if at < len(link) and link[at] in ABOVE]


@pytest.mark.parametrize("seed", range(40))
def test_what_is_drawn_is_what_waits_for_what(seed: int) -> None:
    given = chance(seed, 30)
    drawing = rows(given.steps, given.edges)
    assert read(drawing) == edges_of(given)
    assert sorted(row.node.id for row in drawing if row.node) == sorted(node.id for node in given.steps)


@pytest.mark.parametrize("given", [given for _, given in SAMPLES], ids=[name for name, _ in SAMPLES])
def test_no_line_ends_in_nothing(given: Graph) -> None:
    """Where a character leads down, the one below it leads up, or is the step itself."""
    signs = ["".join(cell.sign for cell in row.cells) for row in rows(given.steps, given.edges)]
    for above, below in pairwise(signs):
        for at, sign in enumerate(above):
            assert sign not in BELOW or below[at] in {*ABOVE, "●"}, (above, below)


def test_a_chain_is_one_line() -> None:
    text = draw(graph("abc", [("a", "b"), ("b", "c")]), Style())
    assert text.splitlines()[2:7] == ["●  a  script", "│", "●  b  script", "│", "●  c  script"]


def test_columns_stand_below_each_other() -> None:
    lines = draw(wide(20), Style()).splitlines()
    steps = [line for line in lines if "script" in line]
    assert len(steps) == 22
    assert len({line.index("script") for line in steps}) == 1


def test_what_steers_a_terminal_is_spelt_out() -> None:
    text = draw(hostile(), Style())
    assert "\x1b" not in text
    assert "\x1b[" in draw(hostile(), Style(colour=True))


def test_changes_have_signs_without_colours_and_colours_on_a_terminal() -> None:
    steps = (
        Node("gone", "script", change="removed"),
        Node("new", "script", change="added"),
        Node("other", "script", change="changed", keys=("timeout: 5m -> 10m",)),
        Node("same", "script"),
    )
    edges = (Edge("gone", "other", "removed"), Edge("new", "other", "added"), Edge("other", "same"))
    given = Graph("demo.job", "staging on etl-01", steps, edges, {}, ("server: a -> b",), "main")
    plain = draw(given, Style()).splitlines()
    assert plain == [
        "demo.job in staging on etl-01",
        "server: a -> b",
        "",
        "-    gone   script",
        "│",
        "│ +  new    script",
        "├─╯",
        "~    other  script",
        "│      timeout: 5m -> 10m",
        "│",
        "●    same   script",
        "",
        "4 steps; against main: 1 added, 1 removed, 1 changed",
    ]
    coloured = draw(given, Style(colour=True))
    assert all(code in coloured for code in ("\x1b[31m-", "\x1b[32m+", "\x1b[33m~", "\x1b[31m│"))
