"""A workspace as it is in the editor: files with what is typed in place of what is saved, and what is wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from flowmill.diagnostics import Diagnostic
from flowmill.editor.positions import absolute
from flowmill.lint.registry import rules
from flowmill.pipeline import Compiled
from flowmill.proving import prove_files
from flowmill.reading.source import Source
from flowmill.reading.tree import Tree
from flowmill.workspace import PROJECT_FILE, WORKSPACE_FILE, Files, FlowFile, is_test_file, load, with_flows_of_tests
from flowmill_tasks.registry import Registry, discover


@dataclass(frozen=True)
class Snapshot:
    """One look at a workspace.

    Attributes:
        trees: every document by absolute path; one that is broken right now, as it last was when it could be read.
        flows: the flows in the same way.
    """

    root: Path
    files: Files
    compiled: Compiled
    registry: Registry
    trees: Mapping[Path, Tree] = field(default_factory=dict)
    flows: Mapping[Path, FlowFile] = field(default_factory=dict)

    @cached_property
    def sources(self) -> dict[Path, Source]:
        """The text of every document that could be read."""
        return {path: tree.sources[tree.root.start_mark.name] for path, tree in self.trees.items()}


def look(root: Path, texts: Mapping[Path, str], before: Snapshot | None = None) -> Snapshot:
    """Look at a workspace.

    Args:
        texts: what open documents hold, by absolute path.
        before: an earlier look, which knows documents that cannot be read right now.
    """
    registry = discover()
    files = load(root, texts=texts)
    compiled = prove_files(files, registry)
    flows = {it.path.absolute(): it for it in files.flows}
    trees = {path: flow.tree for path, flow in flows.items()}
    trees |= {(it.folder / PROJECT_FILE).absolute(): it.tree for it in files.projects.values()}
    trees |= {(root / WORKSPACE_FILE).absolute(): files.tree} if files.tree else {}
    known_trees, known_flows = (before.trees, before.flows) if before else ({}, {})
    return Snapshot(root, files, compiled, registry, {**known_trees, **trees}, {**known_flows, **flows})


def look_at_flow(before: Snapshot, path: Path, texts: Mapping[Path, str]) -> Snapshot:
    """The same with one flow, or the tests of one, looked at again; what concerns all flows together stays."""
    files = load(before.root, with_flows_of_tests(frozenset({path})), texts)
    again = prove_files(files, before.registry, whole=False)
    flows = {it.path.absolute(): it for it in files.flows}
    looked_at = {path, *flows, *(it.tests.absolute() for it in files.flows if it.tests)}
    names = {flow.full_name for flow in files.flows}
    return replace(
        before,
        files=replace(before.files, texts=texts),
        compiled=_with(before.compiled, again, looked_at, names),
        trees={**before.trees, **{file: flow.tree for file, flow in flows.items()}},
        flows={**before.flows, **flows},
    )


def _with(before: Compiled, again: Compiled, looked_at: set[Path], names: set[str]) -> Compiled:
    """The earlier outcome with what came of some flows, by their names, and of their files, in its place."""
    others = {key: flow for key, flow in before.usable.items() if key[0] not in names}
    stays = (it for it in before.diagnostics if absolute(it.span.path) not in looked_at or _of_fleet(it))
    news = (it for it in again.diagnostics if absolute(it.span.path) in looked_at)
    return replace(before, usable={**others, **again.usable}, diagnostics=(*stays, *news))


def _of_fleet(diagnostic: Diagnostic) -> bool:
    rule = rules().get(diagnostic.code)
    return rule is not None and rule.check_fleet is not None


def kind_of(path: Path) -> str:
    """The kind of a document by its name: `workspace`, `project`, `test` or `flow`, as their schemas are called."""
    if path.name in (WORKSPACE_FILE, PROJECT_FILE):
        return {WORKSPACE_FILE: "workspace", PROJECT_FILE: "project"}[path.name]
    return "test" if is_test_file(path) else "flow"
