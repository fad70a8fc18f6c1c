"""All tests of a workspace, carried out one after the other."""

import time
from dataclasses import dataclass, replace
from pathlib import Path
from zoneinfo import ZoneInfo

from flowmill.diagnostics import Diagnostic, Route, in_order
from flowmill.pipeline import Compiled, compile_workspace
from flowmill.testing.checking import plan_of
from flowmill.testing.comparing import failures
from flowmill.testing.files import FlowTestFile, read_tests
from flowmill.testing.spec import FlowTest
from flowmill.testing.trial import carry_out
from flowmill.workspace import shown_path, with_flows_of_tests
from flowmill_tasks.registry import Registry, discover


@dataclass(frozen=True)
class Verdict:
    """How one test went; without diagnostics it has passed."""

    name: str
    seconds: float
    diagnostics: tuple[Diagnostic, ...]

    @property
    def passed(self) -> bool:
        return not self.diagnostics


@dataclass(frozen=True)
class FileVerdict:
    """How the tests of one file went."""

    path: str
    flow: str
    tests: tuple[Verdict, ...]


@dataclass(frozen=True)
class Tested:
    """The outcome for a workspace.

    Attributes:
        compiled: its flows, with every problem of theirs and of the tests, failures included.
        untested: how many flows have no tests.
    """

    compiled: Compiled
    files: tuple[FileVerdict, ...]
    untested: int
    seconds: float

    @property
    def tests(self) -> tuple[Verdict, ...]:
        """The tests of all files."""
        return tuple(test for file in self.files for test in file.tests)


def run_tests(
    root: Path, only: frozenset[Path] | None = None, name_part: str = "", registry: Registry | None = None
) -> Tested:
    """Carry out the tests of a workspace.

    Args:
        root: the folder that holds `flowmill.yaml`.
        only: absolute paths of flows, of files with tests, or of folders; None means all.
        name_part: only tests whose name has this in it, in whatever case.
    """
    began = time.monotonic()
    registry = registry or discover()
    compiled = compile_workspace(root, with_flows_of_tests(only), registry)
    read = read_tests(compiled, root, registry)
    files = tuple(_file(file, name_part.lower(), registry) for file in read.usable)
    failed = [diagnostic for file in files for test in file.tests for diagnostic in test.diagnostics]
    diagnostics = in_order([*compiled.diagnostics, *read.diagnostics, *failed])
    return Tested(
        compiled=replace(compiled, diagnostics=tuple(diagnostics)),
        files=tuple(file for file in files if file.tests),
        untested=compiled.flows - len(compiled.tests),
        seconds=time.monotonic() - began,
    )


def _file(file: FlowTestFile, name_part: str, registry: Registry) -> FileVerdict:
    numbered = enumerate(file.tests.tests)
    tests = tuple(_test(test, file, number, registry) for number, test in numbered if name_part in test.name.lower())
    return FileVerdict(shown_path(file.path), file.flow, tests)


def _test(test: FlowTest, file: FlowTestFile, number: int, registry: Registry) -> Verdict:
    began = time.monotonic()
    route: Route = ("tests", number)
    plan = plan_of(test, file.plans)
    trial = carry_out(test, plan, file.path.absolute().parent, registry)
    found = [file.tree.locate(finding) for finding in failures(test, trial, route, ZoneInfo(plan.timezone))]
    named = tuple(replace(it, message=f"`{test.name}`: {it.message}") for it in found)
    return Verdict(test.name, time.monotonic() - began, named)
