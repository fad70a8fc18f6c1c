"""One mistake is told once: what follows from another finding is left out."""

from collections.abc import Mapping
from typing import Any

from flowmill.diagnostics import Finding, Route
from flowmill.spec.bind import keys_of
from flowmill.spec.flow import FlowSpec
from flowmill.suggest import nearest

Findings = list[Finding]

_NAMED = ("parameters", "vars")
"""Keys of a flow whose keys are names for expressions."""


def meant_names(written: Mapping[str, Any]) -> dict[str, Any]:
    """What stands under a misspelt `vars` or `parameters`, by the key that was meant.

    The key is told to be unknown; that nothing is declared for the expressions follows from it.
    """
    keys = keys_of(FlowSpec)
    unknown = [key for key in written if key not in keys]
    meant = {nearest(key, keys): written[key] for key in unknown}
    return {key: meant[key] for key in _NAMED if key in meant and key not in written}


def without_consequences(findings: Findings, expressions: Findings) -> Findings:
    """All findings, but of a value (or a list of texts) with a wrong expression only what is wrong with that."""
    named = _around(expressions)
    told = {finding.route for finding in expressions}
    # A text that stands for a list has been taken apart: what was said of it was said of its items.
    evaluated = [it for it in findings if it.code == "bad-expression" and not {it.route, it.route[:-1]} & told]
    wrong = named | _around(evaluated)
    return [
        *expressions,
        *evaluated,
        *(it for it in findings if it.at_key or (it.code != "bad-expression" and it.route not in wrong)),
    ]


def _around(findings: Findings) -> set[Route]:
    """The routes of texts, and of the lists that they are items of."""
    routes = {finding.route for finding in findings}
    return routes | {route[:-1] for route in routes if isinstance(route[-1], int)}
