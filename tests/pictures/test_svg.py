"""The SVG is well-formed, stands alone, and is drawn right: boxes apart, lines from box to box and through no other."""

import re
from collections.abc import Iterator
from itertools import combinations, pairwise
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest

from flowmill.pictures.canvas import Box, drawn
from flowmill.pictures.formats.svg import draw
from flowmill.pictures.graph import Edge, Graph, Node
from flowmill.report.style import Style
from pictures.samples import SAMPLES, edges_of, hostile, wide
from support.browser import Browser, keep_screenshot

SVG = "{http://www.w3.org/2000/svg}"
CASES = pytest.mark.parametrize("given", [given for _, given in SAMPLES], ids=[name for name, _ in SAMPLES])
Area = tuple[float, float, float, float]


def read(given: Graph) -> Element:
    return ElementTree.fromstring(draw(given, Style()))


def areas(root: Element) -> dict[str, Area]:
    """The box of each step: left, top, right, bottom."""
    found = {}
    for group in root.iter(f"{SVG}g"):
        if "data-step" in group.attrib:
            box = next(it for it in group.iter(f"{SVG}rect") if it.get("class") == "box")
            x, y, width, height = (float(box.attrib[key]) for key in ("x", "y", "width", "height"))
            found[group.attrib["data-step"]] = (x, y, x + width, y + height)
    return found


def lines(root: Element) -> Iterator[tuple[str, str, list[tuple[float, float]]]]:
    """Each line with its ends, as many points on it."""
    for group in root.iter(f"{SVG}g"):
        if "data-from" in group.attrib:
            path = next(it for it in group.iter(f"{SVG}path") if it.get("class") == "line")
            yield group.attrib["data-from"], group.attrib["data-to"], list(points(path.attrib["d"]))


def points(path: str) -> Iterator[tuple[float, float]]:
    at = (0.0, 0.0)
    for command, numbers in re.findall(r"([MLC])([^MLC]*)", path):
        values = [float(number) for number in numbers.split()]
        ends = list(zip(values[::2], values[1::2], strict=True))
        for step in range(21) if command != "M" else [20]:
            t = step / 20
            control = [at, *ends] if command == "C" else [at, at, ends[-1], ends[-1]]
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
            x, y = (sum(w * point[axis] for w, point in zip(weights, control, strict=True)) for axis in (0, 1))
            yield x, y
        at = ends[-1]


def is_inside(point: tuple[float, float], area: Area, slack: float) -> bool:
    return area[0] - slack < point[0] < area[2] + slack and area[1] - slack < point[1] < area[3] + slack


@CASES
def test_boxes_lie_apart_and_within_the_picture(given: Graph) -> None:
    root = read(given)
    found = areas(root)
    assert set(found) == {node.id for node in given.nodes}
    width, height = (float(number) for number in root.attrib["viewBox"].split()[2:])
    assert all(min(x, y) > 0 and right < width and bottom < height for x, y, right, bottom in found.values())
    for one, other in combinations(found.values(), 2):
        assert one[2] < other[0] or other[2] < one[0] or one[3] < other[1] or other[3] < one[1]


@CASES
def test_lines_lead_from_box_to_box_and_through_no_other(given: Graph) -> None:
    root = read(given)
    found = areas(root)
    of_handlers = {node.id for nodes in given.handlers.values() for node in nodes}
    drawn_edges = {(one, other) for one, other, _ in lines(root) if one not in of_handlers}
    assert drawn_edges == edges_of(given)
    for one, other, way in lines(root):
        assert is_inside(way[0], found[one], 0.2)
        assert not is_inside(way[0], found[one], -0.2)
        assert is_inside(way[-1], found[other], 0.2)
        assert not is_inside(way[-1], found[other], -0.2)
        for name, area in found.items():
            slack = -0.2 if name in (one, other) else 0
            assert not any(is_inside(point, area, slack) for point in way), f"{one} -> {other} runs through {name}"


@CASES
def test_it_stands_alone_and_has_words_for_those_who_do_not_see_it(given: Graph) -> None:
    text = draw(given, Style())
    assert not re.search(r"<script|<image|<use|href=|url\(|@import|<foreignObject", text)
    root = ElementTree.fromstring(text)
    names = {it.get("id"): it for it in root.iter() if it.get("id")}
    title, words = (names[name] for name in root.attrib["aria-labelledby"].split())
    assert (title.tag, words.tag) == (f"{SVG}title", f"{SVG}desc")
    assert title.text == f"{given.name} in {given.where}"
    assert all(node.id in (words.text or "") for node in given.steps)
    assert len([it for it in root.iter() if it.get("id")]) == len(names)


def test_a_flow_of_many_steps_in_a_row_goes_down_and_a_wide_one_sideways() -> None:
    chain = tuple(Node(f"s{number}", "script") for number in range(12))
    edges = tuple(Edge(one.id, other.id) for one, other in pairwise(chain))
    upright = drawn(Graph("demo.job", "staging on etl-01", chain, edges, {}))
    sideways = drawn(wide(12))
    assert upright.height > 4 * upright.width
    assert sideways.height > sideways.width
    assert {arrow.is_upright for arrow in upright.arrows} == {True}
    assert {arrow.is_upright for arrow in sideways.arrows} == {False}


def test_a_box_is_as_high_as_its_lines() -> None:
    boxes: list[Box] = list(drawn(hostile()).boxes)
    assert all(box.height >= 20 + 15 * len(box.lines) for box in boxes)


@pytest.mark.browser
@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
def test_in_a_browser_texts_fit_into_their_boxes_and_colours_follow_the_reader(
    browser: Browser, tmp_path: Path, is_dark: bool
) -> None:
    steps = (
        *hostile().steps[:8],
        Node("gone", "script", change="removed"),
        Node("new", "docker", change="added"),
        Node("other", "email", "Mails what came", ("timeout 10m",), change="changed", keys=("timeout: 5m -> 10m",)),
    )
    edges = (*hostile().edges[:7], Edge("gone", "other", "removed"), Edge("new", "other", "added"))
    given = Graph("demo.job", "staging on etl-01", steps, edges, hostile().handlers, ("server: a -> b",), "main")
    file = tmp_path / "flow.svg"
    file.write_text(draw(given, Style()), encoding="utf-8")
    with browser.page(dark=is_dark) as page:
        page.goto(file.as_uri())
        ground = page.evaluate("getComputedStyle(document.querySelector('.ground')).fill")
        assert ground == ("rgb(13, 17, 23)" if is_dark else "rgb(255, 255, 255)")
        sticking_out = page.evaluate(
            """[...document.querySelectorAll('.step')].filter(step => {
              const box = step.querySelector('rect.box:not(.shadow)').getBBox();
              return [...step.querySelectorAll('text')].some(text => {
                const it = text.getBBox();
                return it.x < box.x || it.x + it.width > box.x + box.width || it.y + it.height > box.y + box.height;
              });
            }).map(step => step.dataset.step)"""
        )
        assert sticking_out == []
        strokes = page.evaluate(
            "['gone', 'new', 'other'].map(id => getComputedStyle(document.querySelector(`#step-${id} .box`)).stroke)"
        )
        assert len(set(strokes)) == 3
        inside = tmp_path / "page.html"
        inside.write_text(f"<!doctype html><meta charset=utf-8><link rel=icon href='data:,'>{draw(given, Style())}")
        page.goto(inside.as_uri())
        assert (
            page.locator("#step-other title").text_content()
            == "other (email)\nMails what came\ntimeout 10m\ntimeout: 5m -> 10m"
        )
        keep_screenshot(page, f"graph-{'dark' if is_dark else 'light'}")
