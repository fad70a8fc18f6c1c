"""For GitLab: a Code Quality report, which a merge request shows beside the lines that it changes."""

import json
from typing import Any

from flowmill.diagnostics import Diagnostic, Severity
from flowmill.pipeline import Compiled
from flowmill.report.formats._fingerprints import fingerprints
from flowmill.report.style import Style, printable

_SEVERITIES = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.INFO: "info"}


def render(compiled: Compiled, style: Style) -> str:
    """A list with an entry per diagnostic; GitLab wants nothing but the first line of each place."""
    found = compiled.diagnostics
    entries = [_entry(*pair) for pair in zip(found, fingerprints(found), strict=True)]
    return json.dumps(entries, indent=2) + "\n"


def _entry(diagnostic: Diagnostic, fingerprint: str) -> dict[str, Any]:
    return {
        "description": printable(diagnostic.with_hint),
        "check_name": diagnostic.code,
        "fingerprint": fingerprint,
        "severity": _SEVERITIES[diagnostic.severity],
        "location": {"path": diagnostic.span.path, "lines": {"begin": diagnostic.span.line}},
    }
