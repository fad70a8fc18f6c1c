"""What is wrong with a workspace, as an editor shows it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from lsprotocol import types
from pygls.workspace import PositionCodec

from flowmill.diagnostics import Diagnostic, Related, Severity
from flowmill.editor.positions import Positions, absolute
from flowmill.report.style import printable

SOURCE = "flowmill"
_SEVERITIES = {
    Severity.ERROR: types.DiagnosticSeverity.Error,
    Severity.WARNING: types.DiagnosticSeverity.Warning,
    Severity.INFO: types.DiagnosticSeverity.Information,
}


def by_file(
    diagnostics: Iterable[Diagnostic], texts: Mapping[Path, str], codec: PositionCodec
) -> dict[Path, list[types.Diagnostic]]:
    """The diagnostics of each file, as the client counts; of a file without a text lines are taken as they are."""
    found: dict[Path, list[types.Diagnostic]] = defaultdict(list)
    for diagnostic in diagnostics:
        path = absolute(diagnostic.span.path)
        found[path].append(_converted(diagnostic, texts, codec))
    return found


def _converted(diagnostic: Diagnostic, texts: Mapping[Path, str], codec: PositionCodec) -> types.Diagnostic:
    positions = Positions(texts.get(absolute(diagnostic.span.path), ""), codec)
    return types.Diagnostic(
        range=positions.range(diagnostic.span),
        message=printable(diagnostic.with_hint),
        severity=_SEVERITIES[diagnostic.severity],
        code=diagnostic.code,
        source=SOURCE,
        related_information=[_related(it, texts, codec) for it in diagnostic.related],
    )


def _related(related: Related, texts: Mapping[Path, str], codec: PositionCodec) -> types.DiagnosticRelatedInformation:
    path = absolute(related.span.path)
    place = types.Location(path.as_uri(), Positions(texts.get(path, ""), codec).range(related.span))
    return types.DiagnosticRelatedInformation(place, printable(related.message))
