"""A workspace as it is in the editor: files with what is typed in place of what is saved, and what is wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from flowmill.pipeline import Compiled
from flowmill.proving import prove_files
from flowmill.reading.source import Source
from flowmill.reading.tree import Tree
from flowmill.workspace import PROJECT_FILE, WORKSPACE_FILE, Files, FlowFile, is_test_file, load
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


def kind_of(path: Path) -> str:
    """The kind of a document by its name: `workspace`, `project`, `test` or `flow`, as their schemas are called."""
    if path.name in (WORKSPACE_FILE, PROJECT_FILE):
        return {WORKSPACE_FILE: "workspace", PROJECT_FILE: "project"}[path.name]
    return "test" if is_test_file(path) else "flow"
