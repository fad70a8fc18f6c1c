"""A server in `flowmill.yaml` has a queue that no flow uses.

The queue is made on Prefect's server and watched by the worker, but no run ever waits in it. If flows were meant to
wait there for each other, they do not.

Remove the queue, or say `queue: name` in the flows that it is for.
"""

from collections.abc import Iterator

from flowmill.diagnostics import Finding, Severity
from flowmill.lint.subjects import Fleet, Placed
from flowmill.spec.lint import RuleOptions

SEVERITY = Severity.INFO
SUMMARY = "A server in flowmill.yaml has a queue that no flow uses."


def check_fleet(fleet: Fleet, options: RuleOptions) -> Iterator[Placed]:
    used = {(flow.plan.server, flow.plan.queue) for flow in fleet.flows.values()}
    for server, declared in fleet.workspace.servers.items():
        for name in declared.queues:
            if (server, name) not in used:
                message = f"no flow uses the queue `{name}` of `{server}`"
                route, hint = ("servers", server, "queues", name), "remove it, or name it in a flow: `queue`"
                yield Placed(fleet.tree, Finding(route, "unused-queue", message, hint, at_key=True))
