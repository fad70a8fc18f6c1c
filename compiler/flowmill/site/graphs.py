"""Graphs of flows as parts of a page, whose policy takes styles from files only."""

from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from flowmill.pictures.formats.svg import draw
from flowmill.pictures.graph import Graph, graph_of
from flowmill.report.style import Style
from flowmill.site.alike import Alike, alike
from flowmill.site.flow_entry import FlowEntry

if TYPE_CHECKING:
    from markupsafe import Markup


def styles() -> bytes:
    """The file of styles that pages with graphs need."""
    return files("flowmill.pictures").joinpath("graph.css").read_bytes()


def graphs(flow: FlowEntry) -> "Iterator[Alike[Markup]]":
    """Each different graph of a flow as SVG, with the environments that have it."""
    found = alike((it.name, replace(graph_of(it.plan), where="")) for it in flow.environments)
    for number, same in enumerate(found, start=1):
        graph = replace(same.value, where=" and ".join(same.environments))
        yield Alike(_in_page(graph, f"graph-{number}-"), same.environments)


def _in_page(graph: Graph, prefix: str) -> "Markup":
    """The SVG without its styles; its ids begin with `prefix`, for a page may have several graphs of like steps."""
    from markupsafe import Markup

    root = ElementTree.fromstring(draw(graph, Style()))
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        for key in ("id", "aria-labelledby"):
            if names := element.get(key):
                element.set(key, " ".join(prefix + name for name in names.split()))
    for style in root.findall("style"):
        root.remove(style)
    root.attrib.pop("style", None)
    # Texts of users have been escaped by what writes XML.
    return Markup(ElementTree.tostring(root, encoding="unicode"))
