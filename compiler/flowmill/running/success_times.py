"""What a flow remembers from one run to the next: the start of its last success, once per environment."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Any, Protocol

from flowmill.planning.plan import Plan


class TimesError(Exception):
    """What is kept cannot be read or written; the message says where it lies and what can be done."""


class TimesUnreachable(TimesError):
    """Nothing of what is kept there can be read or written now."""


class SuccessTimes(Protocol):
    """Keeps a time under a name, which is that of a flow in an environment: see `name_of`.

    Every method raises a `TimesError` where what is kept cannot be read or written.
    """

    @property
    def where(self) -> str:
        """Where it lies, for people: `in ...` or `on ...`."""
        ...

    def read(self, name: str) -> datetime | None:
        """The time that is kept, with its offset; None where there was none yet."""
        ...

    def advance(self, name: str, start: datetime) -> None:
        """Keep `start` unless a later time is kept: it never goes back, also where two runs end at one instant."""
        ...

    def set(self, name: str, start: datetime) -> None:
        """Keep `start`, whatever was kept before."""
        ...

    def reset(self, name: str) -> None:
        """Keep nothing."""
        ...


def name_of(plan: Plan) -> str:
    """`<project>.<flow>.<environment>`. No name has a dot in it, so no two flows or environments share one."""
    return f"{plan.project}.{plan.flow}.{plan.environment}"


@dataclass
class InMemory:
    """A store that ends with the process, for tests of flows."""

    times: dict[str, datetime] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock, repr=False, compare=False)

    where = "in memory"

    def read(self, name: str) -> datetime | None:
        return self.times.get(name)

    def advance(self, name: str, start: datetime) -> None:
        with self._lock:
            self.times[name] = later(self.times.get(name), start)

    def set(self, name: str, start: datetime) -> None:
        self.times[name] = start

    def reset(self, name: str) -> None:
        self.times.pop(name, None)


def later(kept: datetime | None, start: datetime) -> datetime:
    """The later of two moments, the second where nothing was kept."""
    return start if kept is None else max(kept, start, key=datetime.timestamp)


def document(start: datetime) -> dict[str, str]:
    """What a store writes down, as JSON has it: the time in ISO 8601, exactly, with its offset."""
    return {"start": start.isoformat()}


def start_in(written: Any) -> datetime:
    """The time in what a store has written down, as JSON text or as the map that it holds.

    Raises:
        ValueError: it is something else.
    """
    try:
        found = json.loads(written) if isinstance(written, str) else written
        start = datetime.fromisoformat(found["start"])
    except (ValueError, TypeError, KeyError, RecursionError):
        raise ValueError("it is not a time that flowmill has written") from None
    if start.tzinfo is None:
        raise ValueError("its time has no offset")
    return start
