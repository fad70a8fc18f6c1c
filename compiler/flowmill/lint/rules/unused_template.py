"""A project declares a template that no flow extends.

Whoever changes it believes that flows change with it, and none does. Templates that only unused templates extend are
reported as well.

Remove the template, or say `extends: name` in the flows that it was written for.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from flowmill.diagnostics import Finding, Severity
from flowmill.lint.subjects import Fleet, Placed
from flowmill.spec.lint import RuleOptions

SEVERITY = Severity.INFO
SUMMARY = "A project declares a template that no flow extends."


def check_fleet(fleet: Fleet, options: RuleOptions) -> Iterator[Placed]:
    for name, project in fleet.projects.items():
        templates = project.spec.templates
        flows = [flow for flow in fleet.flows.values() if flow.plan.project == name]
        used = {it for flow in flows for it in _lineage(flow.bound.spec.extends, templates)}
        for template in templates:
            if template not in used:
                message, hint = f"no flow extends the template `{template}`", "remove it, or say `extends` in a flow"
                route = ("templates", template)
                yield Placed(project.tree, Finding(route, "unused-template", message, hint, at_key=True))


def _lineage(name: str | None, templates: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """A template and those that it is made from; without errors, they extend each other in no circle."""
    while name:
        yield name
        name = templates[name].get("extends")
