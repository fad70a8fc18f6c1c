"""Files -> plans and diagnostics: the pipeline, from reading to planning, for every flow and environment."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from flowmill import spec
from flowmill.checks import run_all
from flowmill.diagnostics import Diagnostic, Severity, in_order
from flowmill.elaborate import elaborate
from flowmill.flow import Context
from flowmill.inheritance import flow_layers, inheritance_findings, named_layers, own_keys
from flowmill.layers import environments_of
from flowmill.plan import Plan
from flowmill.planning import make_plan
from flowmill.workspace import Files, FlowFile, load
from flowmill_tasks.registry import Registry, discover


@dataclass(frozen=True)
class Compiled:
    """The outcome for a workspace.

    Attributes:
        plans: of every flow, for each environment without errors in it, by `<project>.<flow>` and environment.
        diagnostics: every problem of every file, in order.
        flows: how many flows were looked at.
        tests: the files with tests of these flows, by `<project>.<flow>`.
    """

    plans: Mapping[tuple[str, str], Plan]
    diagnostics: tuple[Diagnostic, ...]
    flows: int
    tests: Mapping[str, Path] = field(default_factory=dict)

    @property
    def errors(self) -> int:
        return sum(diagnostic.severity is Severity.ERROR for diagnostic in self.diagnostics)


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
    plans: dict[tuple[str, str], Plan] = {}
    for flow in [] if files.broken else files.flows:
        flow_plans, found = _compile_flow(flow, files, registry)
        plans |= {(f"{flow.project}.{flow.name}", environment): plan for environment, plan in flow_plans.items()}
        diagnostics += found
    tests = {f"{flow.project}.{flow.name}": flow.tests for flow in files.flows if flow.tests}
    return Compiled(plans, tuple(in_order(diagnostics)), len(files.flows), tests)


def _compile_flow(flow: FlowFile, files: Files, registry: Registry) -> tuple[dict[str, Plan], list[Diagnostic]]:
    """The plans of one flow by environment, and what is wrong in any of them."""
    workspace = files.spec
    if workspace is None:
        raise ValueError("a workspace without a usable flowmill.yaml has no flows to compile")
    named = named_layers(flow, files, registry).merged
    environments, findings = environments_of(named, workspace.environments)
    plans: dict[str, Plan] = {}
    by_environment: dict[str, list[Diagnostic]] = {}
    # A flow that names no usable environment is still checked once, so that its other problems show.
    for environment in environments or list(workspace.environments)[:1]:
        plan, by_environment[environment] = _compile_in(flow, environment, files, registry)
        if plan and environments and not findings:
            plans[environment] = plan
    return plans, [*map(named.locate, findings), *_merged(by_environment)]


def _compile_in(
    flow: FlowFile, environment: str, files: Files, registry: Registry
) -> tuple[Plan | None, list[Diagnostic]]:
    layers = flow_layers(flow, files, registry, environment)
    tree = layers.complete
    bound, findings = elaborate(tree, environment, context_of(flow, files, registry, own_keys(layers)))
    findings += run_all(bound)
    diagnostics = [*inheritance_findings(flow, files, layers), *map(tree.locate, findings)]
    errors = any(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics)
    return None if errors else make_plan(bound), diagnostics


def context_of(flow: FlowFile, files: Files, registry: Registry, own_keys: frozenset[str]) -> Context:
    """What surrounds a flow."""
    project = files.projects.get(flow.project)
    if files.spec is None:
        raise ValueError("flows are only compiled in a usable workspace")
    return Context(
        workspace=files.spec,
        project=project.spec if project else spec.Project(),
        registry=registry,
        folder=flow.path.parent,
        project_name=flow.project,
        flow_name=flow.name,
        spec_path=f"{flow.project}/{flow.path.name}",
        own_keys=own_keys,
    )


def _merged(by_environment: Mapping[str, Iterable[Diagnostic]]) -> list[Diagnostic]:
    """Each problem once; one that not every environment has says which do."""
    found: dict[Diagnostic, list[str]] = defaultdict(list)
    for environment, diagnostics in by_environment.items():
        for diagnostic in dict.fromkeys(diagnostics):
            found[diagnostic].append(environment)
    return [
        diagnostic
        if len(names) == len(by_environment)
        else replace(diagnostic, message=f"{diagnostic.message} (in {', '.join(names)})")
        for diagnostic, names in found.items()
    ]
