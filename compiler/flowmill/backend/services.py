"""What a run uses of its Prefect server besides its states and its log."""

from flowmill.backend.artifacts import with_artifacts
from flowmill.backend.blocks import with_blocks
from flowmill.backend.mutex import with_mutexes
from flowmill.backend.success_times import with_server_times
from flowmill.running.runtime import Runtime


def of_a_local_run(runtime: Runtime) -> Runtime:
    """Secrets, mutexes and documents; what its flow remembers stays on this machine."""
    return with_mutexes(with_artifacts(with_blocks(runtime)))


def of_a_worker(runtime: Runtime) -> Runtime:
    """All of that, and what the flow remembers from one run to the next."""
    return with_server_times(of_a_local_run(runtime))
