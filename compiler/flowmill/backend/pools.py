"""The work pools and queues that deployments name: whether they are there, who looks into them, making them."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from flowmill.backend.server import Server
from flowmill.registering.manifest import Manifest
from flowmill.registering.preflight import Obstacle
from flowmill.registering.targets import Target

_TYPE = "process"
_ALIVE_FOR = timedelta(seconds=60)
"""A worker asks for runs every 10 to 15 s."""


class Pools:
    """What a server has of the pools that a manifest names."""

    def __init__(self, server: Server, manifest: Manifest) -> None:
        self._server = server
        bodies = [it.body for it in manifest.deployments.values()]
        self.targets: list[Target] = sorted({(it["work_pool_name"], it["work_queue_name"]) for it in bodies})
        self._pools = {it["name"]: it for it in server.pages("/work_pools/filter", {})}
        named = sorted({pool for pool, _ in self.targets if pool in self._pools})
        self._queues = {(pool, it["name"]): it for pool in named for it in self._queues_of(pool)}

    def _queues_of(self, pool: str) -> Iterator[dict[str, Any]]:
        return self._server.pages(f"/work_pools/{pool}/queues/filter", {})

    def obstacles(self) -> Iterator[Obstacle]:
        """What is wrong with them."""
        for pool in sorted({pool for pool, _ in self.targets}):
            yield from self._of_pool(pool)
        for pool, queue in self.targets:
            if self._usable(pool):
                yield from self._of_queue(pool, queue)

    def _of_pool(self, pool: str) -> Iterator[Obstacle]:
        found = self._pools.get(pool)
        if found is None:
            there = ", ".join(f"`{name}`" for name in self._pools) or "none"
            message = f"there is no work pool `{pool}` on the server; there are: {there}"
            yield Obstacle("error", message, "`flowmill register --create` makes it", made=True)
        elif found["type"] != _TYPE:
            message = f"the work pool `{pool}` has the type `{found['type']}`"
            yield Obstacle("error", message, f"flowmill's workers are of type `{_TYPE}`: rename one of the two")
        elif found["is_paused"]:
            yield Obstacle("warning", f"the work pool `{pool}` is paused", "no run starts until somebody resumes it")

    def _of_queue(self, pool: str, queue: str) -> Iterator[Obstacle]:
        found = self._queues.get((pool, queue))
        if found is None:
            message = f"the work pool `{pool}` has no queue `{queue}`"
            yield Obstacle("error", message, "`flowmill register --create` makes it", made=True)
        elif found["is_paused"]:
            message = f"the queue `{queue}` of `{pool}` is paused"
            yield Obstacle("warning", message, "no run starts until somebody resumes it")
        elif not self._is_alive(found):
            message = f"no worker is looking into the queue `{queue}` of `{pool}`"
            yield Obstacle("warning", message, "`flowmill worker` on that machine starts one; until then, runs wait")

    def _usable(self, pool: str) -> bool:
        return pool in self._pools and self._pools[pool]["type"] == _TYPE

    def _is_alive(self, queue: dict[str, Any]) -> bool:
        polled = queue.get("last_polled")
        if not polled:
            return False
        return self._server.now - datetime.fromisoformat(polled).astimezone(UTC) < _ALIVE_FOR

    def create(self, limits: Mapping[Target, int | None]) -> list[str]:
        """Make what is missing, unless another register is quicker; the names of what was made."""
        made: list[str] = []
        for pool in sorted({pool for pool, _ in self.targets if pool not in self._pools}):
            content = {"name": pool, "type": _TYPE, "base_job_template": _template()}
            if self._server.ask("POST", "/work_pools/", content, existing=True):
                made.append(f"work pool {pool}")
        for pool, queue in self.targets:
            if (pool, queue) not in self._queues and (pool not in self._pools or self._usable(pool)):
                of_pool = {"name": queue, "concurrency_limit": limits.get((pool, queue))}
                if self._server.ask("POST", f"/work_pools/{pool}/queues", of_pool, existing=True):
                    made.append(f"queue {queue} of {pool}")
        return made


def _template() -> dict[str, Any]:
    """What a run of type `process` may be told; Prefect's own."""
    from prefect.workers.process import ProcessWorker

    template: dict[str, Any] = ProcessWorker.get_default_base_job_template()
    return template
