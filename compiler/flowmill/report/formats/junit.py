"""For whatever shows JUnit's XML, as Jenkins does: a case per flow, or per test of a flow."""

from collections.abc import Iterable
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from flowmill.diagnostics import Diagnostic, Severity
from flowmill.pipeline import Compiled
from flowmill.report.style import Style, printable
from flowmill.workspace import shown_path

if TYPE_CHECKING:
    from flowmill.testing.suite import Tested


def render(compiled: Compiled, style: Style) -> str:
    """A case for each flow and for each file with a problem; errors are failures, the rest is its output."""
    suite = Element("testsuite", name="flowmill validate")
    _files(suite, compiled.diagnostics, _paths(compiled))
    return _document(suite)


def render_tests(tested: "Tested", style: Style, verbose: bool) -> str:
    """A case for each test of a flow, then one for each file with another problem."""
    suite = Element("testsuite", name="flowmill test")
    told: set[Diagnostic] = set()
    for file in tested.files:
        for test in file.tests:
            case = _case(suite, file.flow, test.name, test.seconds)
            _tell(case, test.diagnostics)
            told.update(test.diagnostics)
    _files(suite, [it for it in tested.compiled.diagnostics if it not in told], [])
    return _document(suite)


def _paths(compiled: Compiled) -> list[str]:
    """The files of the flows that can be used in some environment."""
    contexts = (flow.bound.context for flow in compiled.usable.values())
    return [shown_path(context.folder / context.spec_path.rpartition("/")[2]) for context in contexts]


def _files(suite: Element, diagnostics: Iterable[Diagnostic], paths: Iterable[str]) -> None:
    by_path: dict[str, list[Diagnostic]] = {path: [] for path in paths}
    for diagnostic in diagnostics:
        by_path.setdefault(diagnostic.span.path, []).append(diagnostic)
    for path, found in sorted(by_path.items()):
        _tell(_case(suite, "flowmill validate", path, 0), found)


def _case(suite: Element, owner: str, name: str, seconds: float) -> Element:
    return SubElement(suite, "testcase", classname=printable(owner), name=printable(name), time=f"{seconds:.3f}")


def _tell(case: Element, diagnostics: Iterable[Diagnostic]) -> None:
    """One failure with all errors, since a case has one at most for some readers; and the others as its output."""
    errors = [it for it in diagnostics if it.severity is Severity.ERROR]
    others = [it for it in diagnostics if it.severity is not Severity.ERROR]
    if errors:
        failure = SubElement(case, "failure", message=printable(errors[0].message), type=errors[0].code)
        failure.text = "\n".join(map(_line, errors))
    if others:
        SubElement(case, "system-out").text = "\n".join(map(_line, others))


def _line(diagnostic: Diagnostic) -> str:
    span = diagnostic.span
    headline = f"{span.path}:{span.line}:{span.column}: {diagnostic.with_hint} [{diagnostic.code}]"
    return "\n".join(map(printable, [headline, *(f"  {line}" for line in diagnostic.details)]))


def _document(suite: Element) -> str:
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("errors", "0")
    suite.set("skipped", "0")
    suite.set("time", f"{sum(float(case.get('time', 0)) for case in suite):.3f}")
    root = Element("testsuites")
    root.append(suite)
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'
