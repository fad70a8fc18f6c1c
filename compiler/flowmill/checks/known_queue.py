"""The queue is declared for the flow's server in flowmill.yaml."""

from collections.abc import Iterator

from flowmill.corrections import corrected
from flowmill.diagnostics import Finding, RelatedRoute
from flowmill.elaborating.bound_flow import BoundFlow
from flowmill.suggest import did_you_mean

CODES = {"unknown-queue": "flowmill.yaml does not declare this queue for the server, so no worker would look into it."}


def check(flow: BoundFlow) -> Iterator[Finding]:
    name, label = flow.spec.queue, flow.spec.server
    server = flow.context.workspace.servers.get(label)
    if name is None or server is None or {"queue", "server"} & flow.broken or name in server.queues:
        return
    hint = did_you_mean(name, server.queues) or f"declare it in flowmill.yaml: `queues` of the server `{label}`"
    related = (RelatedRoute(("server",), f"the server `{label}` is chosen here"),)
    message, fix = f"server `{label}` has no queue `{name}`", corrected(("queue",), name, server.queues)
    yield Finding(("queue",), "unknown-queue", message, hint, related=related, fix=fix)
