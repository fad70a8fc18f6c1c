"""A server starts more than 240 runs within an hour, over all environments.

Each run is a process that imports Prefect, which takes a second of a core and a hundred megabytes before the first
step begins. At four runs a minute a small machine does little else, and runs begin later and later.

Let flows run less often, one flow do the work of several with `foreach`, or move some of them to another server. The
option `runs` moves the limit. Schedules that are paused do not count.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import Field

from flowmill.counted import counted
from flowmill.diagnostics import Finding, Severity
from flowmill.lint.starts import Start, clock_of, on_worst_day, starts, words
from flowmill.lint.subjects import Fleet, Placed
from flowmill.spec.lint import RuleOptions
from flowmill_tasks.fields import WholeNumber

SEVERITY = Severity.WARNING
SUMMARY = "A server starts more runs within an hour than it should."

_HOUR = 60
_SHOWN = 5


class Options(RuleOptions):
    """The limit."""

    runs: Annotated[WholeNumber, Field(ge=1)] = Field(
        default=240, description="how many runs may start on a server within an hour", examples=[600]
    )


def check_fleet(fleet: Fleet, options: Options) -> Iterator[Placed]:
    limit = options.runs
    for server in fleet.workspace.servers:
        finding = _of_server(fleet, server, limit)
        if finding is not None:
            yield Placed(fleet.tree, finding)


def _of_server(fleet: Fleet, server: str, limit: int) -> Finding | None:
    plans = [it.plan for it in fleet.flows.values() if it.plan.server == server]
    clock = clock_of(plans)
    busy: dict[int, list[Start]] = {}
    for begin, found in starts(plans, clock, fleet.today, _HOUR).items():
        if _count(found) > limit and _count(worst := on_worst_day(found, fleet.today)) > limit:
            busy[begin] = worst
    if not busy:
        return None
    hour = max(busy, key=lambda begin: (_count(busy[begin]), -begin))
    between = f"between {words(hour)} and {words(hour + _HOUR)} in {clock}"
    message = f"`{server}` starts {_count(busy[hour])} runs {between}: more than {limit}"
    others = (f"so it is in {counted(len(busy) - 1, 'other hour')} of the day",) if len(busy) > 1 else ()
    hint = "let flows run less often, or move some to another server"
    details = (*_largest(busy[hour]), *others)
    return Finding(("servers", server), "busy-hour", message, hint, at_key=True, details=details)


def _count(found: Sequence[Start]) -> int:
    return sum(it.times for it in found)


def _largest(found: list[Start]) -> Iterator[str]:
    """The flows that start most often."""
    for it in sorted(found, key=lambda it: (-it.times, it.flow))[:_SHOWN]:
        yield f"{it.times} of `{it.flow}`"
