"""`flowmill.yaml` declares a server on which no flow runs.

Somebody keeps a worker going there for nothing. Or a flow that was meant for it names another server.

Remove the server, or say `server: name` in the flow that it is for.
"""

from collections.abc import Iterator

from flowmill.diagnostics import Finding, Severity
from flowmill.lint.subjects import Fleet, Placed
from flowmill.spec.lint import RuleOptions

SEVERITY = Severity.INFO
SUMMARY = "flowmill.yaml declares a server on which no flow runs."


def check_fleet(fleet: Fleet, options: RuleOptions) -> Iterator[Placed]:
    used = {flow.plan.server for flow in fleet.flows.values()}
    for name in fleet.workspace.servers:
        if name not in used:
            message, hint = f"no flow runs on `{name}`", "remove it, or name it in a flow: `server`"
            yield Placed(fleet.tree, Finding(("servers", name), "unused-server", message, hint, at_key=True))
