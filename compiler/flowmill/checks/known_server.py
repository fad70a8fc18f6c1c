"""The server is declared in flowmill.yaml and serves the environment."""

from collections.abc import Iterator

from flowmill.corrections import corrected
from flowmill.diagnostics import Finding
from flowmill.elaborating.bound_flow import BoundFlow
from flowmill.suggest import did_you_mean

CODES = {
    "unknown-server": "flowmill.yaml does not declare this machine, so no worker would ever pick the run up.",
    "server-not-in-environment": "The server exists, but flowmill.yaml says that it does not serve this environment.",
}


def check(flow: BoundFlow) -> Iterator[Finding]:
    if "server" in flow.broken:
        return
    servers = flow.context.workspace.servers
    server = servers.get(flow.spec.server)
    if server is None:
        message = f"there is no server `{flow.spec.server}`"
        fix = corrected(("server",), flow.spec.server, servers)
        yield Finding(("server",), "unknown-server", message, did_you_mean(flow.spec.server, servers), fix=fix)
    elif server.environments is not None and flow.environment not in server.environments:
        message = f"server `{flow.spec.server}` does not serve the environment `{flow.environment}`"
        able = [
            label
            for label, other in servers.items()
            if other.environments is None or flow.environment in other.environments
        ]
        hint = f"servers that do: {', '.join(able)}" if able else ""
        yield Finding(("server",), "server-not-in-environment", message, hint)
