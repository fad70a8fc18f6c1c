"""The source line of a diagnostic with a caret under its place, secret values masked, long lines cut."""

import re

from flowmill.diagnostics import Diagnostic
from flowmill.reading.credentials import CREDENTIAL_WORD
from flowmill.report.style import Style, printable

_WIDTH = 120
_BEHIND_KEY = re.compile(r"""^(\s*(?:-\s+)?(?:[\w.-]+|"[^"]*"|'[^']*')\s*:\s*)(.*)$""")
_CREDENTIAL = re.compile(  # possessive, and tried once per word: a line may be one word of a megabyte
    rf"(?i)(?<![\w-])((?=[\w-]*?(?:{CREDENTIAL_WORD}))[\w-]++[\"']?\s*[:=]\s*)"
    r"([\"']?\$\{\{|[^\s,}{]+|\S.*$)"
)


def snippet(diagnostic: Diagnostic, style: Style) -> list[str]:
    """The lines to print below the headline; empty where there is no source line to show."""
    if not diagnostic.source_line.strip():
        return [f"     = {printable(diagnostic.hint)}"] if diagnostic.hint else []
    line, start, end = _window(diagnostic)
    number = str(diagnostic.span.line)
    gutter, margin = style.paint(f"{number:>4} |", "blue"), style.paint("     |", "blue")
    caret = " " * start + style.paint("^" * max(end - start, 1), "red", "bold")
    hint = f" {style.paint(printable(diagnostic.hint), 'green')}" if diagnostic.hint else ""
    return [f"{gutter} {line}", f"{margin} {caret}{hint}"]


def _window(diagnostic: Diagnostic) -> tuple[str, int, int]:
    """The part of the source line around the place, and where the place stands in it."""
    span, line = diagnostic.span, masked(diagnostic)
    start = min(span.column - 1, len(line))
    end = span.end_column - 1 if span.end_line == span.line else len(line.rstrip())
    end = max(min(end, len(line)), start)
    first = max(0, start - _WIDTH // 2) if len(line) > _WIDTH else 0
    shown = printable(line[first : first + _WIDTH].replace("\t", " "))
    before = printable(line[first:start].replace("\t", " "))
    inside = printable(line[start : min(end, first + _WIDTH)].replace("\t", " "))
    return shown, len(before), len(before) + len(inside)


def masked(diagnostic: Diagnostic) -> str:
    """The source line, with `***` for every value that may be a secret."""
    line = diagnostic.source_line
    if not diagnostic.secret:
        return _CREDENTIAL.sub(lambda match: _keep_expression(match[1], match[2]), line)
    behind_key = _BEHIND_KEY.match(line)
    if behind_key:
        return behind_key[1] + ("***" if behind_key[2] else "")
    return line[: len(line) - len(line.lstrip())] + "***"


def _keep_expression(key: str, value: str) -> str:
    """A reference to a secret is no secret, and the most useful thing to see."""
    return key + (value if value.lstrip("\"'").startswith("${") else "***")
