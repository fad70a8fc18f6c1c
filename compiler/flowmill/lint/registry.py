"""The rules that there are, found by their files."""

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

from flowmill.diagnostics import Finding, Severity
from flowmill.lint import rules as folder
from flowmill.lint.subjects import Fleet, LintedFlow, Placed
from flowmill.spec.lint import RuleOptions

# Each is given its own `Options`.
CheckFlow = Callable[[LintedFlow, Any], Iterator[Finding]]
CheckFleet = Callable[[Fleet, Any], Iterator[Placed]]


@dataclass(frozen=True)
class Rule:
    """One rule; it has `check` or `check_fleet`, as its file does."""

    code: str
    severity: Severity
    summary: str
    page: str
    options: type[RuleOptions]
    check: CheckFlow | None
    check_fleet: CheckFleet | None


@cache
def rules() -> Mapping[str, Rule]:
    """Every rule by its code, in alphabetical order."""
    names = sorted(info.name for info in pkgutil.iter_modules(folder.__path__) if not info.name.startswith("_"))
    return {rule.code: rule for rule in map(_rule, names)}


def _rule(name: str) -> Rule:
    module: ModuleType = importlib.import_module(f"{folder.__name__}.{name}")
    return Rule(
        name.replace("_", "-"),
        module.SEVERITY,
        module.SUMMARY,
        module.__doc__ or "",
        getattr(module, "Options", RuleOptions),
        getattr(module, "check", None),
        getattr(module, "check_fleet", None),
    )
