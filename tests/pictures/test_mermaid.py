"""Mermaid itself, as it is published, reads and draws what we write: in a real browser, and nothing is lost."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from flowmill.pictures.formats.mermaid import draw
from flowmill.pictures.graph import Edge, Graph, Node
from flowmill.report.style import Style
from pictures.samples import HOSTILE, SAMPLES, edges_of, hostile
from support.browser import Browser, keep_screenshot
from support.npm import unpacked

pytestmark = [pytest.mark.browser, pytest.mark.node]

VERSION = "12.3.0"
INTEGRITY = "sha512-4113TdXeLAsMruJ79OpFL5O8+LTFXhQqZ260rF3tgUmiNAtRm4Uume04I+65PRN6yZ69J4f8rVYWW8zRk65UYw=="
DRAW = """async text => {
  const read = await mermaid.mermaidAPI.getDiagramFromText(text);
  const edges = read.db.getEdges().map(edge => [edge.start, edge.end]);
  const {svg} = await mermaid.render('drawn', text);
  document.body.innerHTML = svg;
  const nodes = [...document.querySelectorAll('.node')].map(node => [node.id, node.textContent]);
  return {title: document.querySelector('title').textContent, edges, nodes};
}"""


@pytest.fixture(scope="module")
def page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page with Mermaid on it."""
    script = unpacked("mermaid", VERSION, INTEGRITY) / "dist/mermaid.min.js"
    file = tmp_path_factory.mktemp("mermaid") / "page.html"
    icon = "<link rel=icon href='data:,'>"
    file.write_text(f"<!doctype html><meta charset=utf-8>{icon}<script src='{script.as_uri()}'></script><body></body>")
    with browser.page() as opened:
        opened.goto(file.as_uri())
        opened.evaluate("mermaid.initialize({startOnLoad: false, maxEdges: 2000})")
        yield opened


@pytest.mark.parametrize("given", [given for _, given in SAMPLES[:6]], ids=[name for name, _ in SAMPLES[:6]])
def test_it_reads_every_step_and_every_edge(page: Page, given: Graph) -> None:
    drawn = page.evaluate(DRAW, draw(given, Style()))
    numbers = {f"step{number}": node.id for number, node in enumerate(given.nodes, start=1)}
    of_handlers = {node.id for nodes in given.handlers.values() for node in nodes}
    read = {(numbers[one], numbers[other]) for one, other in drawn["edges"]}
    assert {edge for edge in read if not of_handlers & set(edge)} == edges_of(given)
    assert len(drawn["nodes"]) == len(given.nodes)


def test_no_name_breaks_it_or_becomes_something_else(page: Page) -> None:
    given = hostile()
    drawn = page.evaluate(DRAW, draw(given, Style()))
    texts = {re.search(r"step\d+", name)[0]: text.replace("\xa0", " ") for name, text in drawn["nodes"]}
    for number, (node, name) in enumerate(zip(given.steps, HOSTILE, strict=False), start=1):
        assert texts[f"step{number}"] == f"{node.id}script · {name}if {name}"
    assert page.locator("body a, body script, body b").count() == 0
    keep_screenshot(page, "mermaid-of-hostile-names")


def test_changes_are_coloured(page: Page) -> None:
    steps = (Node("gone", "script", change="removed"), Node("new", "script", change="added"), Node("same", "script"))
    edges = (Edge("gone", "same", "removed"), Edge("new", "same", "added"))
    text = draw(Graph("demo.job", "staging on etl-01", steps, edges, {}, (), "main"), Style())
    page.evaluate(DRAW, text)
    fill = "name => getComputedStyle(document.querySelector(`.node[id*='${name}-'] rect`)).fill"
    assert [page.evaluate(fill, name) for name in ("step1", "step2")] == ["rgb(255, 235, 233)", "rgb(218, 251, 225)"]
    lines = page.evaluate(
        "[...document.querySelectorAll('path.flowchart-link')].map(it => getComputedStyle(it).stroke)"
    )
    assert lines == ["rgb(207, 34, 46)", "rgb(26, 127, 55)"]


def test_the_title_is_json_and_so_yaml() -> None:
    lines = draw(hostile(), Style()).splitlines()
    assert json.loads(lines[1].removeprefix("title: ")) == "demo.end in staging on etl-01"
