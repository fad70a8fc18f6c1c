"""The layers of a flow, from the files of its workspace: where each of its keys may come from.

workspace < environment < project < templates, base first < flow < the overrides for an environment.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from flowmill.diagnostics import Diagnostic, Finding
from flowmill.elaborating.layers import EVERY_STEP, Layer, Layers, Owner, flow_keys, stack
from flowmill.reading.tree import Tree
from flowmill.spec.templates import EXTENDS, extends_findings, is_without_its_template, lineage
from flowmill.workspace import Files, FlowFile
from flowmill_tasks.registry import Registry


def named_layers(flow: FlowFile, files: Files, registry: Registry) -> Layers:
    """What stands for every environment: it says which environments there are."""
    return Layers((*shared_layers(flow.project, files, registry, None), *_own_layers(flow, files)), flow.tree)


def flow_layers(flow: FlowFile, files: Files, registry: Registry, environment: str) -> Layers:
    """Everything that a flow is made from in one environment."""
    shared = shared_layers(flow.project, files, registry, environment)
    overrides = named_layers(flow, files, registry).under(("environment", environment))
    marked = [replace(layer, owner=replace(layer.owner, override=environment)) for layer in overrides]
    return Layers((*shared, *_own_layers(flow, files), *marked), flow.tree)


def own_keys(layers: Layers) -> frozenset[str]:
    """The keys that the flow sets itself, or asks a template for; the others it only inherits."""
    own = [layer for layer in layers.items if layer.owner.source in ("template", "flow")]
    return frozenset(key for layer in own for key in layer.tree.plain())


def shared_layers(project: str, files: Files, registry: Registry, environment: str | None) -> tuple[Layer, ...]:
    """What every flow of a project inherits, weakest first."""
    file = files.projects.get(project)
    workspace, declared = files.tree, file.tree if file else None
    return (
        *_layer(Owner("workspace"), workspace.only("timezone") if workspace else None),
        *_layer(Owner("project"), declared.only("owner") if declared else None),
        *_defaults(Owner("workspace"), workspace, (), registry),
        *(_defaults(Owner("environment"), workspace, ("environments", environment), registry) if environment else ()),
        *_defaults(Owner("project"), declared, (), registry),
    )


def shared_defaults(project: str, files: Files, registry: Registry, environment: str, step_type: str) -> frozenset[str]:
    """The keys that every step of a type has in one environment, if its flow says nothing."""
    layers = shared_layers(project, files, registry, environment)
    defaults = stack(layer.tree for layer in layers).plain().get("defaults") or {}
    return frozenset(key for word in (EVERY_STEP, step_type) for key in defaults.get(word) or ())


def _own_layers(flow: FlowFile, files: Files) -> Iterator[Layer]:
    project = files.projects.get(flow.project)
    for name, tree in lineage(flow.tree, project.tree if project else None):
        yield Layer(Owner("template", name), tree)
    yield Layer(Owner("flow"), flow.tree)


def _layer(owner: Owner, tree: Tree | None) -> Iterator[Layer]:
    if tree is not None:
        yield Layer(owner, tree)


def _defaults(owner: Owner, tree: Tree | None, route: tuple[str, ...], registry: Registry) -> Iterator[Layer]:
    keys = flow_keys(tree.subtree((*route, "defaults")) if tree else None, registry)
    yield from _layer(replace(owner, is_defaults=True), keys)


def inheritance_findings(flow: FlowFile, files: Files, layers: Layers) -> Iterator[Diagnostic]:
    """What is wrong with where a flow wants its keys from."""
    project = files.projects.get(flow.project)
    findings: Iterable[Finding] = extends_findings(flow.tree, project.tree if project else None)
    yield from map(flow.tree.locate, findings)
    for layer in layers.items:
        if layer.owner.is_defaults and not layer.owner.override and layer.tree.at((EXTENDS,)) is not None:
            hint = "write it into a flow, or into a template"
            finding = Finding((EXTENDS,), "unknown-key", f"`{EXTENDS}` cannot stand in `defaults`", hint, at_key=True)
            yield layer.tree.locate(finding)


def without_inherited(findings: Iterable[Finding], flow: FlowFile, files: Files) -> list[Finding]:
    """The findings; of a flow whose `extends` is wrong without the keys that its template may have."""
    project = files.projects.get(flow.project)
    if not is_without_its_template(flow.tree, project.tree if project else None):
        return list(findings)
    return [it for it in findings if (it.code, it.route) != ("missing-key", ())]
