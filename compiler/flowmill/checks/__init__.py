"""One file per check across a flow's keys: `CODES` documents its codes, `check(flow)` yields findings.

A new check is a new module here; nothing else is edited. A module whose name begins with `_` is no check.
Each code needs a case in `tests/golden/err`.
"""

import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache
from types import ModuleType

from flowmill.diagnostics import Finding
from flowmill.elaborating.bound_flow import BoundFlow


@cache
def modules() -> tuple[ModuleType, ...]:
    """The checks, in the order of their files."""
    names = sorted(info.name for info in pkgutil.iter_modules(__path__) if not info.name.startswith("_"))
    return tuple(importlib.import_module(f"{__name__}.{name}") for name in names)


def run_all(flow: BoundFlow) -> Iterator[Finding]:
    """What every check finds in the flow."""
    for module in modules():
        yield from module.check(flow)
