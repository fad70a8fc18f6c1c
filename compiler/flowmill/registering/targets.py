"""Where runs go: work pools and the queues in them."""

from flowmill.spec.workspace import Workspace

Target = tuple[str, str]
"""A pool and a queue of it."""


def queue_of(environment: str, queue: str | None = None) -> str:
    """The work queue that runs wait in: the environment's own, or one of it by name."""
    return f"{environment}-{queue}" if queue else environment


def queue_limits(workspace: Workspace, environment: str) -> dict[Target, int | None]:
    """How many runs at once each declared queue allows; None where it sets no limit."""
    return {
        (label, queue_of(environment, name)): queue.concurrency
        for label, server in workspace.servers.items()
        for name, queue in server.queues.items()
    }
