"""For code scanning, such as GitHub's: the Static Analysis Results Interchange Format (SARIF) 2.1.0 of OASIS."""

import json
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import quote

from flowmill import __version__
from flowmill.codes import catalogue
from flowmill.diagnostics import Diagnostic, Severity, Span
from flowmill.lint.registry import rules
from flowmill.pipeline import Compiled
from flowmill.report.formats._fingerprints import fingerprints
from flowmill.report.style import Style, printable

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}

Content = dict[str, Any]


def render(compiled: Compiled, style: Style) -> str:
    """One run with a result per diagnostic; columns count characters, as everywhere in flowmill."""
    found = compiled.diagnostics
    driver = {"name": "flowmill", "version": __version__, "rules": list(_rules(found))}
    results = [_result(*pair) for pair in zip(found, fingerprints(found), strict=True)]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rules(diagnostics: tuple[Diagnostic, ...]) -> Iterator[Content]:
    """What each code means that occurs."""
    meanings = {**catalogue(), **{code: rule.summary for code, rule in rules().items()}}
    for code in sorted({diagnostic.code for diagnostic in diagnostics}):
        rule = rules().get(code)
        text = meanings.get(code, code)
        level = _LEVELS[rule.severity if rule else Severity.ERROR]
        yield {
            "id": code,
            "shortDescription": {"text": text},
            "help": {"text": rule.page.strip() if rule else text},
            "defaultConfiguration": {"level": level},
        }


def _result(diagnostic: Diagnostic, fingerprint: str) -> Content:
    lines = [diagnostic.with_hint, *diagnostic.details]
    result: Content = {
        "ruleId": diagnostic.code,
        "level": _LEVELS[diagnostic.severity],
        "message": {"text": "\n".join(map(printable, lines))},
        "locations": [{"physicalLocation": _physical(diagnostic.span)}],
        "partialFingerprints": {"flowmill/v1": fingerprint},
    }
    if diagnostic.related:
        result["relatedLocations"] = [
            {"id": number, "physicalLocation": _physical(it.span), "message": {"text": printable(it.message)}}
            for number, it in enumerate(diagnostic.related, start=1)
        ]
    if diagnostic.fix:
        result["fixes"] = [{"artifactChanges": list(_changes(diagnostic))}]
    return result


def _changes(diagnostic: Diagnostic) -> Iterator[Content]:
    for path, edits in groupby(sorted(diagnostic.fix), key=lambda edit: edit.span.path):
        replacements = [{"deletedRegion": _region(edit.span), "insertedContent": {"text": edit.text}} for edit in edits]
        yield {"artifactLocation": {"uri": _uri(path)}, "replacements": replacements}


def _physical(span: Span) -> Content:
    return {"artifactLocation": {"uri": _uri(span.path)}, "region": _region(span)}


def _region(span: Span) -> Content:
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }


def _uri(path: str) -> str:
    """A path relative to the working directory stays relative; one that lies elsewhere becomes whole."""
    return Path(path).as_uri() if Path(path).is_absolute() else quote(path, errors="surrogatepass")
