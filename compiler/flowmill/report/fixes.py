"""What was fixed, as lines and as a unified diff, without values that may be secrets."""

from collections.abc import Iterator
from difflib import SequenceMatcher

from flowmill.counted import counted
from flowmill.diagnostics import Diagnostic
from flowmill.fixing.rounds import FixedFile
from flowmill.reading.source import Source
from flowmill.report.snippet import masked
from flowmill.report.style import Style, printable

_CONTEXT = 3
_COLOURS = {"-": "red", "+": "green"}


def as_text(files: tuple[FixedFile, ...], style: Style) -> str:
    """A line per file, and below it what was wrong; empty where nothing was fixed."""
    return "".join(f"{line}\n" for file in files for line in _of_file(file, style))


def _of_file(file: FixedFile, style: Style) -> Iterator[str]:
    outcome = style.paint(f"fixed {counted(len(file.mended), 'problem')}", "green")
    yield f"{style.paint(printable(file.before.path), 'bold')}: {outcome}"
    yield from (f"  {it.span.line}:{it.span.column}: {_what(it)}" for it in sorted(file.mended, key=lambda it: it.span))
    yield ""


def _what(diagnostic: Diagnostic) -> str:
    words = {edit.text for edit in diagnostic.fix if edit.text.strip("\"' ")}
    now = f", now `{printable(min(words))}`" if len(words) == 1 and not diagnostic.secret else ""
    return f"{printable(diagnostic.message)}{now} [{diagnostic.code}]"


def as_diff(files: tuple[FixedFile, ...], style: Style) -> str:
    """A unified diff, as `git diff` writes it; a line that may hold a secret is shown without it."""
    return "".join(line for file in files for line in _diff(file, style))


def _diff(file: FixedFile, style: Style) -> Iterator[str]:
    before, after = file.before, Source(file.before.path, file.text)
    old, new = (source.text.splitlines(keepends=True) for source in (before, after))
    path = printable(before.path.lstrip("/"))
    yield style.paint(f"--- a/{path}", "bold") + "\n" + style.paint(f"+++ b/{path}", "bold") + "\n"
    for group in SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(_CONTEXT):
        (_, i1, _, j1, _), (_, _, i2, _, j2) = group[0], group[-1]
        yield style.paint(f"@@ -{i1 + 1},{i2 - i1} +{j1 + 1},{j2 - j1} @@", "blue") + "\n"
        for tag, first, last, other_first, other_last in group:
            if tag != "insert":
                yield from _lines(before, " " if tag == "equal" else "-", first, last, style)
            if tag != "equal":
                yield from _lines(after, "+", other_first, other_last, style)


def _lines(source: Source, mark: str, first: int, last: int, style: Style) -> Iterator[str]:
    for number in range(first + 1, last + 1):
        text, end = _shown(source, number), _line_end(source, number)
        line = mark + text
        yield (style.paint(line, _COLOURS[mark]) if mark in _COLOURS else line) + end


def _shown(source: Source, number: int) -> str:
    span = source.span(source.offset(number, 1), source.offset(number, 1))
    line = source.line(number)
    return printable(masked(Diagnostic(span, "", "", secret=source.may_show_secret(number), source_line=line)))


def _line_end(source: Source, number: int) -> str:
    """The line break that the line has, so that the diff can be applied."""
    start = source.offset(number, 1) + len(source.line(number))
    end = "\r\n" if source.text.startswith("\r\n", start) else "\n"
    return end if source.text[start:] else "\n\\ No newline at end of file\n"
