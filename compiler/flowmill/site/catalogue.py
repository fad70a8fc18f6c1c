"""Everything that the pages tell, drawn from a compiled workspace: flows, projects, servers."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from flowmill.pipeline import Compiled
from flowmill.planning.plan import Plan
from flowmill.report.style import printable
from flowmill.site.flow_entry import FlowEntry, InEnvironment, flow_entry
from flowmill.site.shown import paragraphs
from flowmill.site.week import Week, load_from, week_of
from flowmill.spec.workspace import Environment, Server
from flowmill.workspace import Files
from flowmill_tasks.registry import Registry


@dataclass(frozen=True)
class ProjectEntry:
    """A project that has flows."""

    name: str
    owner: str
    description: tuple[str, ...]
    flows: tuple[FlowEntry, ...]

    @property
    def servers(self) -> list[str]:
        """Where its flows run."""
        return sorted({server for flow in self.flows for server in flow.servers})


@dataclass(frozen=True)
class ServerEntry:
    """A server of flowmill.yaml.

    Attributes:
        environments: those that it serves.
        week: how many runs start there in each hour.
        flows: what runs there, with the environment in which it does.
    """

    name: str
    declared: Server
    description: tuple[str, ...]
    environments: tuple[str, ...]
    flows: tuple[tuple[FlowEntry, InEnvironment], ...]
    week: Week


@dataclass(frozen=True)
class Catalogue:
    """A workspace.

    Attributes:
        start: when the next times are counted from, in the zone of the workspace.
    """

    title: str
    start: datetime
    stages: dict[str, Environment]
    flows: tuple[FlowEntry, ...]
    projects: tuple[ProjectEntry, ...]
    servers: tuple[ServerEntry, ...]


def catalogue(files: Files, compiled: Compiled, registry: Registry, start: datetime) -> Catalogue:
    """What is told of a workspace without errors."""
    if files.spec is None:
        raise ValueError("a workspace without a usable flowmill.yaml has nothing to show")
    plans: dict[str, dict[str, Plan]] = defaultdict(dict)
    for (name, environment), plan in compiled.plans.items():
        plans[name][environment] = plan
    placed = cache(_Placed(files.root))
    flows = tuple(flow_entry(flow, plans[flow.full_name], files, registry, start, placed) for flow in files.flows)
    load = load_from(compiled.plans.values(), start)
    servers = (
        _server(name, declared, files, flows, week_of(load.get(name, Counter()), start))
        for name, declared in files.spec.servers.items()
    )
    return Catalogue(
        title=_title(files),
        start=start,
        stages=files.spec.environments,
        flows=flows,
        projects=tuple(_projects(files, flows)),
        servers=tuple(servers),
    )


@dataclass(frozen=True)
class _Placed:
    """Names files from the folder of the workspace on, wherever the command was started."""

    root: Path

    def __call__(self, path: str) -> str:
        full, root = Path(path).absolute(), self.root.absolute()
        return printable(str(full.relative_to(root)) if full.is_relative_to(root) else full.name)


def _title(files: Files) -> str:
    """The workspace's name, or the last part of its repository's address, or its folder."""
    spec = files.spec
    name = (spec.name or spec.repository.rstrip("/").split("/")[-1].removesuffix(".git")) if spec else ""
    return printable(name or files.root.absolute().name)


def _projects(files: Files, flows: tuple[FlowEntry, ...]) -> Iterator[ProjectEntry]:
    for name, project in files.projects.items():
        own = tuple(flow for flow in flows if flow.project == name)
        if own:
            yield ProjectEntry(name, printable(project.spec.owner), paragraphs(project.spec.description), own)


def _server(name: str, declared: Server, files: Files, flows: tuple[FlowEntry, ...], week: Week) -> ServerEntry:
    stages = files.spec.environments if files.spec else {}
    return ServerEntry(
        name=name,
        declared=declared,
        description=paragraphs(declared.description),
        environments=tuple(declared.environments if declared.environments is not None else stages),
        flows=tuple((flow, it) for flow in flows for it in flow.environments if it.plan.server == name),
        week=week,
    )
