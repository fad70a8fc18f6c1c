"""More than ten flows of one environment start in the same minute on one server.

Everybody writes `0 6 * * *`, so at :00 a machine starts more processes than it has cores, a database gets more
connections than it allows, and for the rest of the hour both have nothing to do. Runs then are late, or time out, for
no reason that their own specs show.

Spread them: any other minute does as well for most, and the finding names some that are free. The option `flows` moves
the limit. The busiest day of the coming year counts, so that what runs on the first of a month meets what runs daily.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Annotated

from pydantic import Field

from flowmill.counted import counted
from flowmill.diagnostics import Finding, Severity
from flowmill.lint.starts import Start, clock_of, listed, on_worst_day, starts, words
from flowmill.lint.subjects import Fleet, Placed
from flowmill.spec.lint import RuleOptions
from flowmill_tasks.fields import WholeNumber

SEVERITY = Severity.WARNING
SUMMARY = "Many flows of one environment start in the same minute on one server."

_Minutes = Mapping[int, Sequence[Start]]


class Options(RuleOptions):
    """The limit."""

    flows: Annotated[WholeNumber, Field(ge=1)] = Field(
        default=10, description="how many flows of an environment may start in one minute on a server", examples=[20]
    )


def check_fleet(fleet: Fleet, options: Options) -> Iterator[Placed]:
    limit = options.flows
    for server in fleet.workspace.servers:
        for environment in fleet.workspace.environments:
            finding = _of_pair(fleet, server, environment, limit)
            if finding is not None:
                yield Placed(fleet.tree, finding)


def _of_pair(fleet: Fleet, server: str, environment: str, limit: int) -> Finding | None:
    plans = [it.plan for it in fleet.flows.values() if (it.plan.server, it.plan.environment) == (server, environment)]
    clock = clock_of(plans)
    minutes = starts(plans, clock, fleet.today)
    crowds = {
        minute: names for minute, found in minutes.items() if len(names := _crowd(found, fleet.today, limit)) > limit
    }
    if not crowds:
        return None
    worst = max(crowds, key=lambda minute: (len(crowds[minute]), -minute))
    at = f"at {words(worst)} in {clock}"
    message = f"{len(crowds[worst])} flows of `{environment}` start {at} on `{server}`: more than {limit}"
    others = (f"so it is at {counted(len(crowds) - 1, 'other time')} of the day",) if len(crowds) > 1 else ()
    hint = f"spread them over the hour: {_free(minutes, worst // 60)}"
    details = (listed(crowds[worst]), *others)
    return Finding(("servers", server), "crowded-minute", message, hint, at_key=True, details=details)


def _crowd(found: Sequence[Start], today: date, limit: int) -> set[str]:
    """The flows that start together; looked at by day only where there can be too many."""
    flows = {it.flow for it in found}
    return {it.flow for it in on_worst_day(found, today)} if len(flows) > limit else flows


def _free(minutes: _Minutes, hour: int) -> str:
    """A few of the minutes of an hour that have nothing to do, or else least."""
    load = {minute: len(minutes.get(hour * 60 + minute, ())) for minute in range(60)}
    least = [minute for minute, count in load.items() if count == min(load.values())]
    chosen = dict.fromkeys(least[len(least) * part // 8] for part in (1, 3, 5, 7))
    begun = "nothing starts" if min(load.values()) == 0 else "fewest flows start"
    return f"{begun} at {', '.join(f':{minute:02}' for minute in chosen)}"
