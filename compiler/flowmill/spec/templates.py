"""The `templates` of a project: what is wrong with them, and which of them a flow's `extends` brings in."""

from collections.abc import Iterator

from yaml import ScalarNode

from flowmill.corrections import corrected
from flowmill.diagnostics import Finding, RelatedRoute, Route
from flowmill.expressions.template import has_expression
from flowmill.reading.tree import Tree
from flowmill.spec.bind import keys_of
from flowmill.spec.binding_fixes import fix_of_key
from flowmill.spec.flow import FlowSpec
from flowmill.spec.values import NAME
from flowmill.suggest import did_you_mean, nearest

TEMPLATES, EXTENDS = "templates", "extends"
TEMPLATE_KEYS = tuple(key for key in keys_of(FlowSpec) if key != "project")
"""The keys that a template may hold."""


def lineage(flow: Tree, project: Tree | None) -> list[tuple[str, Tree]]:
    """The templates that a flow is made from, by name, the base first; up to the first that is not there."""
    found: dict[str, Tree] = {}
    name = _extends(flow, (EXTENDS,))
    while project is not None and name and name not in found:
        template = project.subtree((TEMPLATES, name))
        if template is None:
            break
        found[name] = template.only(*TEMPLATE_KEYS).without(EXTENDS)
        name = _extends(template, (EXTENDS,))
    return list(found.items())[::-1]


def extends_findings(flow: Tree, project: Tree | None) -> Iterator[Finding]:
    """What is wrong with a flow's `extends`, besides what its model says."""
    name = _extends(flow, (EXTENDS,))
    if name is not None and NAME.fullmatch(name):
        yield from _unknown(name, (EXTENDS,), _names(project) if project is not None else [])


def is_without_its_template(flow: Tree, project: Tree | None) -> bool:
    """Whether a flow means to extend a template and does not come to one: what it lacks may stand there."""
    if flow.at((EXTENDS,)) is None:
        unknown = [key for key in flow.plain() if key not in keys_of(FlowSpec)]
        return any(nearest(key, keys_of(FlowSpec)) == EXTENDS for key in unknown)
    return _extends(flow, (EXTENDS,)) not in (_names(project) if project is not None else [])


def template_findings(project: Tree) -> Iterator[Finding]:
    """What is wrong with the templates of a project, whether a flow uses them or not."""
    names = _names(project)
    for name in names:
        route: Route = (TEMPLATES, name)
        template = project.subtree(route)
        for key, value in template.plain().items() if template is not None else ():
            if key not in TEMPLATE_KEYS:
                fix = fix_of_key((*route, key), value, dict.fromkeys(TEMPLATE_KEYS, FlowSpec))
                yield Finding((*route, key), "unknown-key", f"unknown key `{key}`", _hint(key), at_key=True, fix=fix)
        yield from _unusable(project, name, names)
    yield from _cycles(project, names)


def _hint(key: str) -> str:
    if key == "project":
        return "leave it out: a template belongs to the project whose file it stands in"
    return did_you_mean(key, TEMPLATE_KEYS)


def _names(project: Tree) -> list[str]:
    templates = project.subtree((TEMPLATES,))
    return list(templates.plain()) if templates is not None else []


def _extends(tree: Tree, route: Route) -> str | None:
    """The name that stands at a route; None where there is no text."""
    node = tree.subtree(route[:-1])
    value = node.plain().get(str(route[-1])) if node is not None else None
    return value if isinstance(value, str) else None


def _unusable(project: Tree, name: str, names: list[str]) -> Iterator[Finding]:
    """What is wrong with the `extends` of a template; that one extends itself is a circle, and told as one."""
    route = (TEMPLATES, name, EXTENDS)
    node, word = project.at(route), _extends(project, route)
    if node is not None and (not isinstance(node, ScalarNode) or has_expression(word or "")):
        yield Finding(route, "wrong-type", "expected the name of a template, written out")
    elif word is not None and word != name:
        yield from _unknown(word, route, [other for other in names if other != name])


def _unknown(name: str, route: Route, known: list[str]) -> Iterator[Finding]:
    if name not in known:
        hint = did_you_mean(name, known) or "declare it under `templates` in the project's project.yaml"
        message, fix = f"the project has no template `{name}`", corrected(route, name, known)
        yield Finding(route, "unknown-template", message, hint, fix=fix)


def _cycles(project: Tree, names: list[str]) -> Iterator[Finding]:
    reported: set[str] = set()
    for name in names:
        cycle = _cycle_through(project, name)
        if cycle and name not in reported:
            reported |= set(cycle)
            related = tuple(
                RelatedRoute((TEMPLATES, other, EXTENDS), f"`{other}` is part of it") for other in cycle[1:]
            )
            message = f"`extends` runs in a circle: {' -> '.join([*cycle, name])}"
            route = (TEMPLATES, name, EXTENDS)
            yield Finding(route, "template-cycle", message, "take one of these `extends` out", related=related)


def _cycle_through(project: Tree, start: str) -> list[str]:
    """The templates from one along `extends` back to itself; empty where it does not come back."""
    way = [start]
    while (name := _extends(project, (TEMPLATES, way[-1], EXTENDS))) not in (None, *way):
        way.append(str(name))
    return way if name == start else []
