"""Which secrets a workspace asks for, in its flows and in what they inherit."""

from collections.abc import Iterator

from flowmill.elaborating.expression_findings import step_expressions
from flowmill.lint.subjects import Fleet
from flowmill.secrets.names import secret_uses


def secrets_used(fleet: Fleet) -> set[str] | None:
    """The names; None where one is only known in the run, so that any may be asked for."""
    names = {use.name for flow in fleet.flows.values() for use in secret_uses(flow.plan)}
    if None in names:
        return None
    names |= {*_named_in_defaults(fleet), fleet.workspace.repository_token}
    return {name for name in names if name}


def _named_in_defaults(fleet: Fleet) -> Iterator[str | None]:
    """Also those for steps that no flow has yet."""
    for tree in (fleet.tree, *(project.tree for project in fleet.projects.values())):
        for _, _, parsed in step_expressions(tree.plain(), ()):
            yield from (path[1] for path in parsed.references if path[0] == "secrets" and len(path) > 1)
