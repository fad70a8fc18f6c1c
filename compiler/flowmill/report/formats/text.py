"""For people: a headline per problem, its source line with a caret, a summary."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from flowmill.counted import counted
from flowmill.diagnostics import Diagnostic, Severity
from flowmill.pipeline import Compiled
from flowmill.report.snippet import snippet
from flowmill.report.style import Style, printable

if TYPE_CHECKING:
    from flowmill.testing.suite import FileVerdict, Tested

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.INFO: "blue"}


def render(compiled: Compiled, style: Style) -> str:
    """All problems, then what there was and how it went."""
    return "\n\n".join([*_blocks(compiled, style), _summary(compiled, style)]) + "\n"


def render_tests(tested: "Tested", style: Style, verbose: bool) -> str:
    """A line per file, and below it those of its tests that have failed; then all problems, then a summary."""
    lines = [line for file in tested.files for line in _tests_of(file, style, verbose)]
    parts = ["\n".join(lines), *_blocks(tested.compiled, style), _summary_of_tests(tested, style)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _blocks(compiled: Compiled, style: Style) -> list[str]:
    return ["\n".join(_block(diagnostic, style)) for diagnostic in compiled.diagnostics]


def _tests_of(file: "FileVerdict", style: Style, verbose: bool) -> Iterator[str]:
    failed = sum(not test.passed for test in file.tests)
    passed = len(file.tests) - failed
    counts = [style.paint(f"{failed} failed", "red")] * bool(failed) + [f"{passed} passed"] * bool(passed)
    yield f"{style.paint(printable(file.path), 'bold')}: {', '.join(counts)}"
    for test in file.tests:
        if not test.passed or verbose:
            mark = style.paint("✓", "green") if test.passed else style.paint("✗", "red")
            yield f"  {mark} {printable(test.name)}"


def _summary_of_tests(tested: "Tested", style: Style) -> str:
    count, failed = len(tested.tests), sum(not test.passed for test in tested.tests)
    failures = sum(diagnostic.code == "test-failed" for diagnostic in tested.compiled.diagnostics)
    wrong = tested.compiled.errors - failures
    untested = tested.untested
    also = f"; {counted(untested, 'flow')} {'has' if untested == 1 else 'have'} no tests" if untested else ""
    took = f" in {tested.seconds:.1f}s"
    if failed:
        return style.paint(f"{failed} of {counted(count, 'test')} failed{took}{also}", "red", "bold")
    if wrong:
        return style.paint(f"{counted(count, 'test')} passed{took}, but there are mistakes{also}", "red", "bold")
    return style.paint(f"{counted(count, 'test')} passed{took}{also}", "green")


def _block(diagnostic: Diagnostic, style: Style) -> Iterator[str]:
    span = diagnostic.span
    place = style.paint(f"{printable(span.path)}:{span.line}:{span.column}:", "bold")
    level = style.paint(f"{diagnostic.severity}: ", _COLOURS[diagnostic.severity])
    level = "" if diagnostic.severity is Severity.ERROR else level
    code = style.paint(f"[{diagnostic.code}]", "dim")
    yield f"{place} {level}{printable(diagnostic.message)} {code}"
    yield from snippet(diagnostic, style)
    yield from (f"     {_detail(line, style)}" for line in diagnostic.details)
    for related in diagnostic.related:
        other = related.span
        yield f"     = {printable(other.path)}:{other.line}:{other.column}: {printable(related.message)}"


def _detail(line: str, style: Style) -> str:
    colour = {"- ": "red", "+ ": "green", "@@": "blue"}.get(line[:2])
    return style.paint(printable(line), colour) if colour else printable(line)


def _summary(compiled: Compiled, style: Style) -> str:
    counts = {"warning": compiled.warnings, "info": compiled.infos}
    also = "".join(f", {counted(count, word)}" for word, count in counts.items() if count)
    if compiled.errors:
        files = len({d.span.path for d in compiled.diagnostics if d.severity is Severity.ERROR})
        return style.paint(f"{counted(compiled.errors, 'error')} in {counted(files, 'file')}{also}", "red", "bold")
    environments = len({environment for _, environment in compiled.plans})
    outcome = f"{counted(compiled.flows, 'flow')} valid in {counted(environments, 'environment')}{also}"
    return style.paint(outcome, "green")
