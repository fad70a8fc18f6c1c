"""What surrounds the run of a test: its own secrets, its own time, an outbox of its own, nothing of the machine."""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from flowmill.planning.plan import Plan
from flowmill.running.run import Facts
from flowmill.running.runtime import Runtime, Selection
from flowmill.running.secrets import SecretMissing
from flowmill.running.success_times import InMemory, SuccessTimes, name_of
from flowmill.testing.spec import FlowTest
from flowmill_tasks.registry import Registry

RUN_ID = "00000000-0000-4000-8000-000000000000"
"""`run.id` in every test."""

T = TypeVar("T")


class GivenSecrets:
    """A secret store that has what a test gives; `missing` are the names that were asked for in vain."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self.missing: dict[str, None] = {}

    def read(self, name: str) -> Any:
        """See `SecretStore.read`."""
        if name not in self._values:
            self.missing[name] = None
            raise SecretMissing(f"the test gives no secret `{name}`")
        return self._values[name]


async def at_once(work: Callable[..., T], *arguments: Any) -> T:
    """Do in place what may block elsewhere: here nothing does, and so everything keeps its order."""
    return work(*arguments)


def successes_of(test: FlowTest, plan: Plan) -> InMemory:
    """A store that remembers the last success that a test speaks of, and no other."""
    kept = {name_of(plan): moment(test.last_success, plan)} if test.last_success else {}
    return InMemory(kept)


def runtime_of(
    test: FlowTest, folder: Path, registry: Registry, secrets: GivenSecrets, outbox: Path, successes: SuccessTimes
) -> Runtime:
    """The services of a test's run; `folder` is the project's."""
    return Runtime(
        folder=folder,
        registry=registry,
        secrets=secrets,
        outbox=outbox,
        selection=Selection(test.only, test.from_),
        aside=at_once,
        successes=successes,
    )


def facts_of(test: FlowTest, plan: Plan) -> Facts:
    """The facts of a test's run, its times in the flow's zone."""
    start = moment(test.start, plan)
    return Facts(RUN_ID, start, moment(test.scheduled, plan) if test.scheduled else start)


def moment(time: datetime, plan: Plan) -> datetime:
    """A time of a test in the flow's zone, which is also the one that it is meant in if it names none."""
    zone = ZoneInfo(plan.timezone)
    return time.replace(tzinfo=zone) if time.tzinfo is None else time.astimezone(zone)
