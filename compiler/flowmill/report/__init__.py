"""Output formats: one file each, holding `render(compiled, style)`; the file's name is the format's.

A new format is a new module here; nothing else is edited.
"""

import importlib
import pkgutil
from types import ModuleType

from flowmill.pipeline import Compiled
from flowmill.report.style import Style

_NOT_FORMATS = {"style", "snippet"}


def formats() -> list[str]:
    """The names of the formats."""
    return sorted(info.name for info in pkgutil.iter_modules(__path__) if info.name not in _NOT_FORMATS)


def render(compiled: Compiled, name: str, style: Style) -> str:
    """The diagnostics and the outcome in the format called `name`."""
    module: ModuleType = importlib.import_module(f"{__name__}.{name}")
    return str(module.render(compiled, style))
