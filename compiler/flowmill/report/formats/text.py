"""For people: a headline per problem, its source line with a caret, a summary."""

from collections.abc import Iterator

from flowmill.diagnostics import Diagnostic, Severity
from flowmill.pipeline import Compiled
from flowmill.report.snippet import snippet
from flowmill.report.style import Style, printable


def render(compiled: Compiled, style: Style) -> str:
    """All problems, then what there was and how it went."""
    blocks = ["\n".join(_block(diagnostic, style)) for diagnostic in compiled.diagnostics]
    return "\n\n".join([*blocks, _summary(compiled, style)]) + "\n"


def _block(diagnostic: Diagnostic, style: Style) -> Iterator[str]:
    span = diagnostic.span
    place = style.paint(f"{printable(span.path)}:{span.line}:{span.column}:", "bold")
    warning = style.paint("warning: ", "yellow") if diagnostic.severity is Severity.WARNING else ""
    code = style.paint(f"[{diagnostic.code}]", "dim")
    yield f"{place} {warning}{printable(diagnostic.message)} {code}"
    yield from snippet(diagnostic, style)
    yield from (f"     {_detail(line, style)}" for line in diagnostic.details)
    for related in diagnostic.related:
        other = related.span
        yield f"     = {printable(other.path)}:{other.line}:{other.column}: {printable(related.message)}"


def _detail(line: str, style: Style) -> str:
    colour = {"- ": "red", "+ ": "green", "@@": "blue"}.get(line[:2])
    return style.paint(printable(line), colour) if colour else printable(line)


def _summary(compiled: Compiled, style: Style) -> str:
    warnings = len(compiled.diagnostics) - compiled.errors
    also = f", {_count(warnings, 'warning')}" if warnings else ""
    if compiled.errors:
        files = len({d.span.path for d in compiled.diagnostics if d.severity is Severity.ERROR})
        return style.paint(f"{_count(compiled.errors, 'error')} in {_count(files, 'file')}{also}", "red", "bold")
    environments = len({environment for _, environment in compiled.plans})
    outcome = f"{_count(compiled.flows, 'flow')} valid in {_count(environments, 'environment')}{also}"
    return style.paint(outcome, "green")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
