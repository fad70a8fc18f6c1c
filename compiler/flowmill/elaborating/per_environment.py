"""What was found in each environment of a flow, told once."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from flowmill.diagnostics import Diagnostic


def once_each(by_environment: Mapping[str, Iterable[Diagnostic]]) -> list[Diagnostic]:
    """Each problem once; one that not every environment has says which do."""
    found: dict[Diagnostic, list[str]] = defaultdict(list)
    for environment, diagnostics in by_environment.items():
        for diagnostic in dict.fromkeys(diagnostics):
            found[diagnostic].append(environment)
    return [
        diagnostic
        if len(names) == len(by_environment)
        else replace(diagnostic, message=f"{diagnostic.message} (in {', '.join(names)})")
        for diagnostic, names in found.items()
    ]
