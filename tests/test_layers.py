"""The import graph is the architecture: who may import whom, held by reading the source."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
COMPILER, TASKS = ROOT / "compiler" / "flowmill", ROOT / "tasks" / "flowmill_tasks"


def imports(path: Path, *, at_import_time: bool = False) -> Iterator[str]:
    """The modules that a file imports, by their full names."""
    tree = ast.parse(path.read_text())
    for node in _executed(tree, functions=not at_import_time):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _executed(node: ast.AST, *, functions: bool) -> Iterator[ast.AST]:
    """The nodes that run at all: not those under TYPE_CHECKING, and those in functions only if asked for."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            continue
        if functions or not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
            yield from _executed(child, functions=functions)


def module_of(path: Path) -> str:
    base = COMPILER.parent if path.is_relative_to(COMPILER) else TASKS.parent
    return ".".join(path.relative_to(base).with_suffix("").parts).removesuffix(".__init__")


FILES = {module_of(path): path for folder in (COMPILER, TASKS) for path in sorted(folder.rglob("*.py"))}


def top(name: str) -> str:
    return name.split(".")[0]


def part(name: str) -> str:
    """The package or module right below the top one; empty for that itself."""
    return name.split(".")[1] if "." in name else ""


@pytest.mark.parametrize("module", [name for name in FILES if top(name) == "flowmill_tasks"])
def test_a_step_type_knows_neither_the_compiler_nor_prefect(module: str) -> None:
    assert not {"flowmill", "prefect", "yaml", "jinja2"} & set(map(top, imports(FILES[module])))


@pytest.mark.parametrize("module", [name for name in FILES if not name.startswith("flowmill.backend")])
def test_only_the_backend_imports_prefect(module: str) -> None:
    assert "prefect" not in set(map(top, imports(FILES[module])))


def test_the_import_graph_has_no_cycle() -> None:
    graph = {
        name: {other for other in imports(path, at_import_time=True) if other in FILES and other != name}
        for name, path in FILES.items()
    }
    while leaves := {name for name, others in graph.items() if not others & graph.keys()}:
        graph = {name: others for name, others in graph.items() if name not in leaves}
    assert not graph, f"these import each other: {sorted(graph)}"


PIPELINE = ("reading", "times", "expressions", "spec", "elaborating", "planning")
"""The parts of the compiler from a file's text to a plan."""


@pytest.mark.parametrize("module", [name for name in FILES if part(name) in PIPELINE])
def test_a_part_of_the_pipeline_knows_only_what_comes_before_it(module: str) -> None:
    later = PIPELINE[PIPELINE.index(part(module)) + 1 :]
    known = {part(name) for name in imports(FILES[module]) if top(name) == "flowmill"}
    assert not known.intersection(later)
