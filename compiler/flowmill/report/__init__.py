"""Showing the outcome of compiling, in the format that was asked for."""

import importlib
import pkgutil
from collections.abc import Iterable
from types import ModuleType
from typing import TYPE_CHECKING

from flowmill.report import formats
from flowmill.report.style import Style

if TYPE_CHECKING:
    from flowmill.pipeline import Compiled
    from flowmill.testing.suite import Tested


def names() -> list[str]:
    """The names of the formats."""
    return formats_in(formats.__path__)


def formats_in(folders: Iterable[str]) -> list[str]:
    """The names of the formats that lie in folders; what begins with `_` is what formats are made of."""
    return sorted(info.name for info in pkgutil.iter_modules(folders) if not info.name.startswith("_"))


def render(compiled: "Compiled", name: str, style: Style) -> str:
    """The diagnostics and the outcome in the format called `name`."""
    module: ModuleType = importlib.import_module(f"{formats.__name__}.{name}")
    return str(module.render(compiled, style))


def render_tests(tested: "Tested", name: str, style: Style, *, verbose: bool = False) -> str:
    """How tests of flows went; a format that has no words for tests shows the diagnostics alone."""
    module: ModuleType = importlib.import_module(f"{formats.__name__}.{name}")
    if hasattr(module, "render_tests"):
        return str(module.render_tests(tested, style, verbose))
    return str(module.render(tested.compiled, style))
