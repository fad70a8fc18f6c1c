"""For programs: one JSON object with a list of diagnostics."""

import json
from typing import TYPE_CHECKING, Any

from flowmill.diagnostics import Diagnostic, Span
from flowmill.pipeline import Compiled
from flowmill.report.style import Style

if TYPE_CHECKING:
    from flowmill.testing.suite import Tested


def render(compiled: Compiled, style: Style) -> str:
    """An object with `diagnostics`, `flows` and `errors`; lines and columns count from 1."""
    return json.dumps(_content(compiled), indent=2) + "\n"


def render_tests(tested: "Tested", style: Style, verbose: bool) -> str:
    """The same with `tests`, each with its file, name and outcome, and `untested`, the flows that have none."""
    tests = [
        {"path": file.path, "flow": file.flow, "name": test.name, "passed": test.passed, "seconds": test.seconds}
        for file in tested.files
        for test in file.tests
    ]
    return json.dumps({**_content(tested.compiled), "tests": tests, "untested": tested.untested}, indent=2) + "\n"


def _content(compiled: Compiled) -> dict[str, Any]:
    return {
        "diagnostics": [_diagnostic(diagnostic) for diagnostic in compiled.diagnostics],
        "errors": compiled.errors,
        "flows": compiled.flows,
    }


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
