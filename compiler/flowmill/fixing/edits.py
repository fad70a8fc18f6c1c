"""The edits of a file's diagnostics -> its new text."""

from collections.abc import Iterable
from itertools import chain

from flowmill.diagnostics import Diagnostic, TextEdit
from flowmill.reading.source import Source

Replacement = tuple[int, int, str]


def compatible(source: Source, diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Those whose edits can be made together, in order; of two that meet, the first."""
    chosen: list[Diagnostic] = []
    taken: list[Replacement] = []
    for diagnostic in diagnostics:
        wanted = _replacements(source, diagnostic.fix)
        if not any(_meet(one, other) for one in wanted for other in taken):
            chosen.append(diagnostic)
            taken += wanted
    return chosen


def applied(source: Source, diagnostics: Iterable[Diagnostic]) -> str:
    """The text of a file after the edits of these diagnostics, which do not meet."""
    text = source.text
    edits = chain.from_iterable(diagnostic.fix for diagnostic in diagnostics)
    for start, end, new in sorted(_replacements(source, edits), reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _replacements(source: Source, edits: Iterable[TextEdit]) -> list[Replacement]:
    found = []
    for edit in edits:
        span = edit.span
        start, end = source.offset(span.line, span.column), source.offset(span.end_line, span.end_column)
        found.append((start, end, edit.text))
    return found


def _meet(one: Replacement, other: Replacement) -> bool:
    """Whether two edits change the same characters, or insert at the same place."""
    return one[0] <= other[1] and other[0] <= one[1]
