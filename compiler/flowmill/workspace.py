"""Finding and reading the files of a workspace: `flowmill.yaml`, the projects, the flows."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from flowmill.corrections import corrected
from flowmill.diagnostics import Diagnostic, Finding, Related, Span
from flowmill.reading.file import read_source, unreadable
from flowmill.reading.parse import parse_tree
from flowmill.reading.source import Source
from flowmill.reading.tree import Tree
from flowmill.spec.bind import bind
from flowmill.spec.templates import template_findings
from flowmill.spec.values import NAME, NAME_RULE
from flowmill.spec.workspace import Project, Server, Workspace
from flowmill.suggest import did_you_mean

WORKSPACE_FILE = "flowmill.yaml"
PROJECT_FILE = "project.yaml"
TESTS_ENDING = ".test.yaml"
"""The end of the name of a file with tests, which lies beside its flow."""
_ENDINGS = (".yaml", ".yml", TESTS_ENDING)


@dataclass(frozen=True)
class FlowFile:
    """One flow as it was read: where it lies, its tree, and the file of its tests, if it has one."""

    project: str
    name: str
    path: Path
    shown: str
    tree: Tree
    tests: Path | None = None

    @property
    def full_name(self) -> str:
        """What the flow is called in Prefect: `<project>.<flow>`."""
        return f"{self.project}.{self.name}"


@dataclass(frozen=True)
class ProjectFile:
    """One project: its folder, its `project.yaml`."""

    name: str
    folder: Path
    tree: Tree
    spec: Project


@dataclass
class Files:
    """A workspace as it lies on disk; whatever cannot be used is in `diagnostics`."""

    root: Path
    tree: Tree | None = None
    spec: Workspace | None = None
    projects: dict[str, ProjectFile] = field(default_factory=dict)
    flows: list[FlowFile] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    texts: Mapping[Path, str] = field(default_factory=dict)
    """What to take files to hold instead of reading them, by absolute path: an editor's, or what would be written."""

    @property
    def broken(self) -> bool:
        """Whether the workspace file itself cannot be used, so that no flow can be judged."""
        return self.spec is None


def find_root(path: Path) -> Path | None:
    """The nearest folder at or above `path` that holds a `flowmill.yaml`, or its `specs` folder if that does."""
    start = path if path.is_dir() else path.parent
    for folder in (start, *start.absolute().parents):
        for candidate in (folder, folder / "specs"):
            if is_there(candidate / WORKSPACE_FILE):
                return candidate
    return None


def is_there(path: Path) -> bool:
    """Whether anything lies there; not so in a folder of somebody else that may not be searched."""
    try:
        return path.exists() or path.is_symlink()
    except OSError:
        return False


def load(root: Path, only: frozenset[Path] | None = None, texts: Mapping[Path, str] | None = None) -> Files:
    """Read a workspace.

    Args:
        only: absolute paths of the flows (or folders of flows) to read; None means all of them.
        texts: what to take some files to hold instead of reading them, by absolute path.
    """
    files = Files(root, texts=texts or {})
    _load_workspace(files)
    for folder in _folders(files):
        paths = _yaml_files(files, folder)
        specs = [path for path in paths if path.name != PROJECT_FILE and not is_test_file(path)]
        flows = [path for path in specs if _wanted(path, only)]
        if flows:
            is_declared = folder / PROJECT_FILE in paths
            if is_declared:
                load_project(files, folder)
            _load_flows(files, folder, flows, is_declared)
        _with_tests(files, [path for path in paths if is_test_file(path) and _wanted(path, only)], specs)
    _strays(files, only)
    return files


def is_test_file(path: Path) -> bool:
    """Whether a file holds the tests of a flow, by its name."""
    return path.name.endswith(TESTS_ENDING)


def with_flows_of_tests(only: frozenset[Path] | None) -> frozenset[Path] | None:
    """What is to be looked at, and where that names a file with tests, the flow beside it; the reverse as well."""
    if only is None:
        return None
    stems = {path: path.name.removesuffix(TESTS_ENDING).removesuffix(path.suffix) for path in only}
    return only | {path.with_name(stem + end) for path, stem in stems.items() for end in _ENDINGS if path.suffix}


def shown_path(path: Path) -> str:
    """A path as messages name it: relative to the working directory where it lies below it."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def read_or_given(path: Path, root: Path, texts: Mapping[Path, str]) -> Source | Diagnostic:
    """The source of a file: what was given for it, or else what it holds."""
    given = texts.get(path.absolute())
    return read_source(path, shown_path(path), root) if given is None else Source(shown_path(path), given)


def _wanted(path: Path, only: frozenset[Path] | None) -> bool:
    return only is None or any(path.absolute() == item or item in path.absolute().parents for item in only)


def _entries(files: Files, folder: Path) -> list[os.DirEntry[str]]:
    """What lies in a folder; one that cannot be read is reported."""
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        files.diagnostics.append(unreadable(folder, shown_path(folder), error))
        return []


def _folders(files: Files) -> list[Path]:
    """The folders that may be projects; links are not followed, so that no file is read twice."""
    entries = _entries(files, files.root)
    found = [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
    return sorted(folder for folder in found if not folder.name.startswith((".", "__")))


def _yaml_files(files: Files, folder: Path) -> list[Path]:
    names = [entry.name for entry in _entries(files, folder)]
    return [folder / name for name in sorted(names) if name.endswith((".yaml", ".yml"))]


def _read(files: Files, path: Path) -> Tree | None:
    source = read_or_given(path, files.root, files.texts)
    if isinstance(source, Diagnostic):
        files.diagnostics.append(source)
        return None
    tree = parse_tree(source)
    if isinstance(tree, list):
        files.diagnostics += tree
        return None
    files.diagnostics += tree.warnings
    return tree


def _load_workspace(files: Files) -> None:
    files.tree = _read(files, files.root / WORKSPACE_FILE)
    if files.tree is None:
        return
    bound = bind(Workspace, files.tree.plain(), ())
    if isinstance(bound, list):
        files.diagnostics += map(files.tree.locate, bound)
        return
    findings = list(_workspace_findings(bound))
    files.diagnostics += map(files.tree.locate, findings)
    files.spec = None if findings else bound


def _workspace_findings(workspace: Workspace) -> Iterator[Finding]:
    for kind, names in (("environments", workspace.environments), ("servers", workspace.servers)):
        for name in names:
            if not NAME.fullmatch(name):
                yield Finding((kind, name), "bad-name", f"`{name}` is not a name", NAME_RULE, at_key=True)
    for label, server in workspace.servers.items():
        yield from _queue_findings(label, server, workspace)
        for index, name in enumerate(server.environments or []):
            if name not in workspace.environments:
                hint = did_you_mean(name, workspace.environments)
                route = ("servers", label, "environments", index)
                fix = corrected(route, name, workspace.environments)
                yield Finding(route, "unknown-environment", f"there is no environment `{name}`", hint, fix=fix)


def _queue_findings(label: str, server: Server, workspace: Workspace) -> Iterator[Finding]:
    """What is wrong with the names of queues; in Prefect a queue is called `<environment>-<queue>`."""
    for name in server.queues:
        route = ("servers", label, "queues", name)
        if not NAME.fullmatch(name):
            yield Finding(route, "bad-name", f"`{name}` is not a name", NAME_RULE, at_key=True)
        for environment in workspace.environments:
            if f"{environment}-{name}" in workspace.environments:
                message = f"`{name}` in `{environment}` would be the queue of the environment `{environment}-{name}`"
                yield Finding(route, "bad-name", message, "give the queue another name", at_key=True)


def load_project(files: Files, folder: Path) -> None:
    """Read the file of one project into `files`; what is wrong with it is in the diagnostics."""
    tree = _read(files, folder / PROJECT_FILE)
    if tree is None:
        return
    files.diagnostics += map(tree.locate, template_findings(tree))
    bound = bind(Project, tree.plain(), ())
    if isinstance(bound, list):
        files.diagnostics += map(tree.locate, bound)
        bound = Project()
    files.projects[folder.name] = ProjectFile(folder.name, folder, tree, bound)


def _load_flows(files: Files, folder: Path, paths: list[Path], is_declared: bool) -> None:
    if not NAME.fullmatch(folder.name):
        files.diagnostics.append(
            _file_problem(folder, "bad-name", f"the folder `{folder.name}` is not a name", NAME_RULE)
        )
        return
    if not is_declared:
        files.diagnostics.append(_undeclared(folder))
    named: dict[str, Path] = {}
    for path in paths:
        _load_flow(files, path, named.setdefault(path.stem, path))


def _load_flow(files: Files, path: Path, first: Path) -> None:
    """Read one flow, where `first` is the first file of its name."""
    folder = path.parent
    if not NAME.fullmatch(path.stem):
        hint = f"tests end in `{TESTS_ENDING}`" if path.stem.endswith(".test") else NAME_RULE
        files.diagnostics.append(_file_problem(path, "bad-name", f"`{path.stem}` is not a name for a flow", hint))
        return
    if first is not path:
        related = Related(Span(shown_path(first)), "the other one")
        message = f"there are two flows `{folder.name}.{path.stem}`"
        hint = "keep one of them; a flow is named after its file"
        files.diagnostics.append(_file_problem(path, "duplicate-flow", message, hint, related))
        return
    tree = _read(files, path)
    if tree is not None:
        files.flows.append(FlowFile(folder.name, path.stem, path, shown_path(path), tree))


def _undeclared(folder: Path) -> Diagnostic:
    message = f"project `{folder.name}` is not declared"
    hint = f"create {shown_path(folder / PROJECT_FILE)} with a line such as `description: what the project is`"
    return _file_problem(folder, "undeclared-project", message, hint)


def _with_tests(files: Files, tests: list[Path], specs: list[Path]) -> None:
    """Give each flow its file of tests; one that belongs to none would silently never be looked at."""
    named = {path.name.removesuffix(TESTS_ENDING): path for path in tests}
    folders = {path.parent for path in tests}
    files.flows = [
        replace(flow, tests=named.get(flow.path.stem)) if flow.path.parent in folders else flow for flow in files.flows
    ]
    stems = {path.stem for path in specs}
    for name, path in named.items():
        if name not in stems:
            message = f"there is no flow `{name}` beside `{path.name}`"
            hint = did_you_mean(name, stems) or f"the tests of a flow lie beside it, as `<flow>{TESTS_ENDING}`"
            files.diagnostics.append(_file_problem(path, "stray-file", message, hint))


def _strays(files: Files, only: frozenset[Path] | None) -> None:
    """Specs beside `flowmill.yaml` belong to no project and would silently never run."""
    for path in _yaml_files(files, files.root):
        if path.name != WORKSPACE_FILE and _wanted(path, only):
            message = f"`{path.name}` lies outside of any project"
            hint = f"move it into a project's folder, such as {shown_path(files.root / 'project' / path.name)}"
            files.diagnostics.append(_file_problem(path, "stray-file", message, hint))


def _file_problem(path: Path, code: str, message: str, hint: str, *related: Related) -> Diagnostic:
    return Diagnostic(Span(shown_path(path)), code, message, hint, related)
