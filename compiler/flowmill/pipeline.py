"""Files -> plans and diagnostics: the pipeline, from reading to planning, for every flow and environment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from flowmill.checks import run_all
from flowmill.diagnostics import Diagnostic, Severity, in_order
from flowmill.elaborating.bound_flow import BoundFlow, Context
from flowmill.elaborating.elaborate import elaborate
from flowmill.elaborating.inheritance import (
    flow_layers,
    inheritance_findings,
    named_layers,
    own_keys,
    without_inherited,
)
from flowmill.elaborating.layers import environments_of
from flowmill.elaborating.per_environment import once_each
from flowmill.planning.from_flow import make_plan
from flowmill.planning.plan import Plan
from flowmill.reading.tree import Tree
from flowmill.spec.workspace import Project
from flowmill.workspace import Files, FlowFile, load
from flowmill_tasks.registry import Registry, discover


@dataclass(frozen=True)
class FlowIn:
    """A flow without errors in one environment.

    Attributes:
        bound: as it is written, every default applied.
        tree: the places of all that is written, in whichever files.
        plan: what was decided.
    """

    bound: BoundFlow
    tree: Tree
    plan: Plan


@dataclass(frozen=True)
class Compiled:
    """The outcome for a workspace.

    Attributes:
        usable: every flow, for each environment without errors in it, by `<project>.<flow>` and environment.
        diagnostics: every problem of every file, in order.
        flows: how many flows were looked at.
        tests: the files with tests of these flows, by `<project>.<flow>`.
    """

    usable: Mapping[tuple[str, str], FlowIn]
    diagnostics: tuple[Diagnostic, ...]
    flows: int
    tests: Mapping[str, Path] = field(default_factory=dict)

    @cached_property
    def plans(self) -> Mapping[tuple[str, str], Plan]:
        """The plan of every flow in each environment where it can be used."""
        return {key: flow.plan for key, flow in self.usable.items()}

    @property
    def errors(self) -> int:
        return self._count(Severity.ERROR)

    @property
    def warnings(self) -> int:
        return self._count(Severity.WARNING)

    @property
    def infos(self) -> int:
        return self._count(Severity.INFO)

    def _count(self, severity: Severity) -> int:
        return sum(diagnostic.severity is severity for diagnostic in self.diagnostics)


def compile_workspace(root: Path, only: frozenset[Path] | None = None, registry: Registry | None = None) -> Compiled:
    """Validate and plan the flows of a workspace.

    Args:
        root: the folder that holds `flowmill.yaml`.
        only: absolute paths of the flows (or their folders) to look at; None means all.
        registry: the step types; None means those that are installed.
    """
    return compile_files(load(root, only), registry or discover())


def compile_files(files: Files, registry: Registry) -> Compiled:
    """Validate and plan the flows of a workspace that has been read."""
    diagnostics = list(files.diagnostics)
    usable: dict[tuple[str, str], FlowIn] = {}
    for flow in [] if files.broken else files.flows:
        by_environment, found = _compile_flow(flow, files, registry)
        usable |= {(flow.full_name, environment): it for environment, it in by_environment.items()}
        diagnostics += found
    tests = {flow.full_name: flow.tests for flow in files.flows if flow.tests}
    return Compiled(usable, tuple(in_order(diagnostics)), len(files.flows), tests)


def _compile_flow(flow: FlowFile, files: Files, registry: Registry) -> tuple[dict[str, FlowIn], list[Diagnostic]]:
    """One flow by environment, and what is wrong in any of them."""
    workspace = files.spec
    if workspace is None:
        raise ValueError("a workspace without a usable flowmill.yaml has no flows to compile")
    named = named_layers(flow, files, registry).merged
    environments, findings = environments_of(named, workspace.environments)
    usable: dict[str, FlowIn] = {}
    by_environment: dict[str, list[Diagnostic]] = {}
    # A flow that names no usable environment is still checked once, so that its other problems show.
    for environment in environments or list(workspace.environments)[:1]:
        found, by_environment[environment] = _compile_in(flow, environment, files, registry)
        if found and environments and not findings:
            usable[environment] = found
    return usable, [*map(named.locate, findings), *once_each(by_environment)]


def _compile_in(
    flow: FlowFile, environment: str, files: Files, registry: Registry
) -> tuple[FlowIn | None, list[Diagnostic]]:
    layers = flow_layers(flow, files, registry, environment)
    tree = layers.complete
    bound, findings = elaborate(tree, environment, context_of(flow, files, registry, own_keys(layers)))
    findings += run_all(bound)
    told = without_inherited(findings, flow, files)
    diagnostics = [*inheritance_findings(flow, files, layers), *map(tree.locate, told)]
    errors = any(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics)
    return None if errors else FlowIn(bound, tree, make_plan(bound)), diagnostics


def context_of(flow: FlowFile, files: Files, registry: Registry, own_keys: frozenset[str]) -> Context:
    """What surrounds a flow."""
    project = files.projects.get(flow.project)
    if files.spec is None:
        raise ValueError("flows are only compiled in a usable workspace")
    return Context(
        workspace=files.spec,
        project=project.spec if project else Project(),
        registry=registry,
        folder=flow.path.parent,
        project_name=flow.project,
        flow_name=flow.name,
        spec_path=f"{flow.project}/{flow.path.name}",
        own_keys=own_keys,
    )
