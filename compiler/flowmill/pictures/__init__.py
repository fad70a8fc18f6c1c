"""Pictures of flows: a `Graph` is what is drawn, `formats` are the ways of drawing it, one file each.

`against` makes a graph of two versions. Texts are laid out by `rails`, pictures in pixels by `layout` and `canvas`.
"""

import importlib
import pkgutil
from typing import TYPE_CHECKING, Any

from flowmill.pictures import formats

if TYPE_CHECKING:
    from flowmill.pictures.graph import Graph
    from flowmill.report.style import Style


def names() -> list[str]:
    """The names of the formats."""
    return sorted(info.name for info in pkgutil.iter_modules(formats.__path__) if not info.name.startswith("_"))


def format_of(file_name: str) -> str | None:
    """The format that files of such a name have; None where it says nothing."""
    ending = file_name.lower()
    return next((name for name in names() if ending.endswith(_module(name).ENDINGS)), None)


def draw(graph: "Graph", name: str, style: "Style") -> str:
    """The picture in the format called `name`."""
    return str(_module(name).draw(graph, style))


def _module(name: str) -> Any:
    return importlib.import_module(f"{formats.__name__}.{name}")
