"""Files with tests, read and checked against the flows that they lie beside."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from flowmill.diagnostics import Diagnostic, Severity, in_order
from flowmill.pipeline import Compiled
from flowmill.planning.plan import Plan
from flowmill.reading.parse import parse_tree
from flowmill.reading.source import Source
from flowmill.reading.tree import Tree
from flowmill.spec.bind import bind
from flowmill.testing.checking import findings
from flowmill.testing.spec import FlowTests
from flowmill.workspace import PROJECT_FILE, TESTS_ENDING, WORKSPACE_FILE, read_or_given, shown_path
from flowmill_tasks.registry import Registry


@dataclass(frozen=True)
class FlowTestFile:
    """A file with tests that can be carried out, and the flow that they are about."""

    flow: str
    path: Path
    tree: Tree
    tests: FlowTests
    plans: Mapping[str, Plan]


@dataclass(frozen=True)
class Files:
    """The files with tests of a workspace: those that can be used, and what is wrong with the others."""

    usable: tuple[FlowTestFile, ...]
    diagnostics: tuple[Diagnostic, ...]


def read_tests(compiled: Compiled, root: Path, registry: Registry, texts: Mapping[Path, str] | None = None) -> Files:
    """Read the files with tests of all flows that were compiled.

    A flow that is wrong itself has no plan to check its tests against: then only their shape is judged.
    """
    usable: list[FlowTestFile] = []
    diagnostics: list[Diagnostic] = []
    for flow, path in sorted(compiled.tests.items()):
        plans = {environment: plan for (name, environment), plan in compiled.plans.items() if name == flow}
        source = read_or_given(path, root, texts or {})
        whole = not _may_be_wrong(path, root, compiled)
        found = _checked(flow, path, source, plans, registry, whole=whole)
        for item in found:
            if isinstance(item, Diagnostic):
                diagnostics.append(item)
            elif plans:
                usable.append(item)
    return Files(tuple(usable), tuple(diagnostics))


def _may_be_wrong(path: Path, root: Path, compiled: Compiled) -> bool:
    """Whether the flow of these tests has an error, perhaps in only one of its environments."""
    flow = path.with_name(path.name.removesuffix(TESTS_ENDING))
    around = (flow.with_suffix(".yaml"), flow.with_suffix(".yml"), path.parent / PROJECT_FILE, root / WORKSPACE_FILE)
    errors = {it.span.path for it in compiled.diagnostics if it.severity is Severity.ERROR}
    return not errors.isdisjoint(map(shown_path, around))


def with_tests(compiled: Compiled, root: Path, registry: Registry, texts: Mapping[Path, str] | None = None) -> Compiled:
    """The same with what is wrong with the tests of its flows; none of them is carried out."""
    found = read_tests(compiled, root, registry, texts).diagnostics
    return replace(compiled, diagnostics=tuple(in_order([*compiled.diagnostics, *found])))


def _checked(
    flow: str, path: Path, source: Source | Diagnostic, plans: Mapping[str, Plan], registry: Registry, *, whole: bool
) -> Iterator[Diagnostic | FlowTestFile]:
    tree = source if isinstance(source, Diagnostic) else parse_tree(source)
    if not isinstance(tree, Tree):
        yield from tree if isinstance(tree, list) else [tree]
        return
    yield from tree.warnings
    tests = bind(FlowTests, tree.plain(), ())
    wrong = tests if isinstance(tests, list) else list(findings(tests, tree.plain(), plans, registry, whole=whole))
    yield from map(tree.locate, wrong)
    if isinstance(tests, FlowTests) and not wrong and all(it.environment in (None, *plans) for it in tests.tests):
        yield FlowTestFile(flow, path, tree, tests, plans)
