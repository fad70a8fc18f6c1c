"""`flowmill.yaml` declares an environment that no flow is in.

Nothing can be registered there. Mostly its name changed, or its flows went, and the branch that it follows is kept up
to date for nobody.

Remove the environment, or put a flow into it: `environment: [staging, production]`.
"""

from collections.abc import Iterator

from flowmill.diagnostics import Finding, Severity
from flowmill.lint.subjects import Fleet, Placed
from flowmill.spec.lint import RuleOptions

SEVERITY = Severity.INFO
SUMMARY = "flowmill.yaml declares an environment that no flow is in."


def check_fleet(fleet: Fleet, options: RuleOptions) -> Iterator[Placed]:
    used = {environment for _, environment in fleet.flows}
    for name in fleet.workspace.environments:
        if name not in used:
            message, hint = f"no flow is in `{name}`", "remove it, or name it in a flow: `environment`"
            yield Placed(fleet.tree, Finding(("environments", name), "unused-environment", message, hint, at_key=True))
