"""For GitHub Actions: workflow commands that annotate the lines of a pull request."""

from flowmill.diagnostics import Diagnostic, Severity
from flowmill.pipeline import Compiled
from flowmill.report.style import Style, printable

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render(compiled: Compiled, style: Style) -> str:
    """One `::error …::`, `::warning …::` or `::notice …::` line per diagnostic."""
    return "".join(f"{_command(diagnostic)}\n" for diagnostic in compiled.diagnostics)


def _command(diagnostic: Diagnostic) -> str:
    span = diagnostic.span
    begin = f"file={_property(span.path)},line={span.line},col={span.column}"
    place = f"{begin},endLine={span.end_line},endColumn={span.end_column}"
    text = _data("\n".join([diagnostic.with_hint, *diagnostic.details]))
    return f"::{_COMMANDS[diagnostic.severity]} {place},title={_property(diagnostic.code)}::{text}"


def _data(text: str) -> str:
    """Escape as the runner's toolkit does, so that no text of a file can become a command."""
    return printable(text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
