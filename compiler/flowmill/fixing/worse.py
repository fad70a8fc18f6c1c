"""Whether the fixes of a file made it worse: it has a problem that it did not have, and that was not only hidden."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from flowmill.diagnostics import Diagnostic, Severity, TextEdit
from flowmill.lint.registry import rules
from flowmill.pipeline import Compiled
from flowmill.reading.source import Source
from flowmill.suggest import is_foreign

_AFTER_A_KEY = re.compile(r"['\"]?[ \t]*:(?=\s|$)")
_NOTHING = re.compile(r"\s*(#.*)?")


def worse(source: Source, fixes: Iterable[Diagnostic], before: Compiled, after: Compiled) -> bool:
    """Whether something is wrong after the fixes of a file that was not wrong, or not mended, before."""
    fixes, old, new = list(fixes), _of(source, before), _of(source, after)
    if any(map(_is_syntax, old)):
        return _still_unreadable(fixes, new)
    hidden = _hidden(source, fixes)
    touched = {edit.span.line for fix in fixes for edit in fix.fix}
    return _not_mended(source, fixes, old, new) or any(
        it.code == "duplicate-key" or it.span.line not in hidden
        for it in _added(old, new)
        # Rules look at a flow only once it has no error.
        if it.code not in rules()
        if it.severity is Severity.ERROR or (it.severity is Severity.WARNING and it.span.line in touched)
    )


def _is_syntax(diagnostic: Diagnostic) -> bool:
    return diagnostic.code.startswith("yaml-") and diagnostic.severity is Severity.ERROR


def _still_unreadable(fixes: Iterable[Diagnostic], new: Iterable[Diagnostic]) -> bool:
    """Whether the parser comes no further, or an error stands where the text was changed: the rest was hidden."""
    reached = max((edit.span.end_line, edit.span.end_column) for fix in fixes for edit in fix.fix)
    touched = {edit.span.line for fix in fixes for edit in fix.fix}
    return any(
        (it.span.line, it.span.column) <= reached if it.code == "yaml-syntax" else it.span.line in touched
        for it in new
        if it.severity is Severity.ERROR
    )


def _not_mended(
    source: Source, fixes: Iterable[Diagnostic], old: Iterable[Diagnostic], new: Iterable[Diagnostic]
) -> bool:
    """Whether as much of a kind is wrong with a line as before: then the fix has written another mistake.

    Below a key that has got its name there may be others to mend.
    """
    expected, found = Counter(map(_kind, old)), Counter(map(_kind, new))
    expected.subtract(map(_kind, fixes))
    of_values = [fix for fix in fixes if not any(_is_key(source, edit) for edit in fix.fix)]
    return any(found[kind] > expected[kind] for kind in map(_kind, of_values))


def _is_key(source: Source, edit: TextEdit) -> bool:
    end = source.offset(edit.span.end_line, edit.span.end_column)
    return _AFTER_A_KEY.match(source.text, end) is not None


def _kind(diagnostic: Diagnostic) -> tuple[str, int]:
    """By code and line, since fixes move nothing to another line."""
    return diagnostic.code, diagnostic.span.line


def _of(source: Source, compiled: Compiled) -> list[Diagnostic]:
    return [it for it in compiled.diagnostics if it.span.path == source.path]


def _added(old: Iterable[Diagnostic], new: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
    """Those that are new."""
    known = Counter(map(_kind, old))
    for it in new:
        if known[_kind(it)]:
            known[_kind(it)] -= 1
        else:
            yield it


def _hidden(source: Source, fixes: Iterable[Diagnostic]) -> set[int]:
    """The lines that nobody had looked at."""
    found: set[int] = set()
    for fix in fixes:
        for edit in fix.fix:
            found |= set(_behind(source, edit))
            if fix.code == "unknown-type":
                found |= set(_item_around(source, edit))
    return found


def _behind(source: Source, edit: TextEdit) -> Iterator[int]:
    """The lines of the value of a key that gets its right name; what another tool calls it must fit as it is."""
    if not _is_key(source, edit):
        return
    first = edit.span.line
    written = source.line(first)[edit.span.column - 1 : edit.span.end_column - 1]
    if not is_foreign(written, edit.text):
        yield first
    for number in range(first + 1, source.text.count("\n") + 2):
        line = source.line(number)
        indent = len(line) - len(line.lstrip(" "))
        if not _NOTHING.fullmatch(line) and indent < edit.span.column - line.lstrip(" ").startswith("- "):
            return
        yield number


def _item_around(source: Source, edit: TextEdit) -> Iterator[int]:
    """The lines of the step whose type gets its right name."""
    first = source.line(edit.span.line)
    column = _content(first)
    for numbers in (range(edit.span.line, 0, -1), range(edit.span.line + 1, source.text.count("\n") + 2)):
        for number in numbers:
            line = source.line(number)
            begins = line.lstrip(" ").startswith("- ") and _content(line) <= column
            if not _NOTHING.fullmatch(line) and (_content(line) < column or (begins and number > edit.span.line)):
                break
            yield number
            if begins:
                break


def _content(line: str) -> int:
    """How far a line is indented, a dash counted."""
    return len(line) - len(line.lstrip(" -"))
