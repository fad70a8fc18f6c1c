"""For programs: one JSON object with a list of diagnostics."""

import json
from typing import Any

from flowmill.diagnostics import Diagnostic, Span
from flowmill.pipeline import Compiled
from flowmill.report.style import Style


def render(compiled: Compiled, style: Style) -> str:
    """An object with `diagnostics`, `flows` and `errors`; lines and columns count from 1."""
    content = {
        "diagnostics": [_diagnostic(diagnostic) for diagnostic in compiled.diagnostics],
        "errors": compiled.errors,
        "flows": compiled.flows,
    }
    return json.dumps(content, indent=2) + "\n"


def _diagnostic(diagnostic: Diagnostic) -> dict[str, Any]:
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity.value,
        "message": diagnostic.message,
        "hint": diagnostic.hint,
        **_span(diagnostic.span),
        "details": list(diagnostic.details),
        "related": [{"message": related.message, **_span(related.span)} for related in diagnostic.related],
    }


def _span(span: Span) -> dict[str, Any]:
    return {
        "path": span.path,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }
