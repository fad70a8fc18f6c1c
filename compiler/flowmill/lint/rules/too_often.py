"""A flow runs more often than every five minutes, which costs more than it looks like.

Each run is a process of its own, with records in Prefect's database that stay there: one run a minute is half a
million a year. A step that is retried, or a machine that is busy, then soon has several of them wait for each other.

Let the schedule be as slow as the work allows: `*/5`, `*/10`. Where the others cannot wait for it, say so beside the
`cron`: `# flowmill: ignore[too-often]: requests are answered within minutes`. The option `minutes` moves the limit.

All schedules of a flow that have the same parameters are looked at together; those that are paused are not.
"""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from flowmill.diagnostics import Finding, RelatedRoute, Severity
from flowmill.lint.distances import Distance, shortest_distance
from flowmill.lint.subjects import LintedFlow
from flowmill.spec.lint import RuleOptions
from flowmill.times.cron import of_plan
from flowmill_tasks.fields import WholeNumber

SEVERITY = Severity.WARNING
SUMMARY = "A flow runs more often than a limit in minutes, five unless flowmill.yaml says otherwise."


class Options(RuleOptions):
    """The limit."""

    minutes: Annotated[WholeNumber, Field(ge=2, le=1440)] = Field(
        default=5, description="runs of a flow have to be at least so far apart", examples=[10]
    )


def check(flow: LintedFlow, options: Options) -> Iterator[Finding]:
    limit = options.minutes
    found = shortest_distance(flow.plan, flow.today) if flow.plan.schedules else None
    if found is not None and found.minutes < limit:
        yield _finding(flow, found, limit)


def _finding(flow: LintedFlow, found: Distance, limit: int) -> Finding:
    crons = [of_plan(flow.plan.schedules[index].cron) for index in (found.first_schedule, found.second_schedule)]
    message = f"runs start {found.minutes} min apart, as those of {found.times}: less than {limit} min"
    step = f", such as `*/{limit}`" if len(crons[1].minutes) > 2 and 60 % limit == 0 and limit < 60 else ""
    hint = f"let them be at least {limit} min apart{step}, or except it with the reason"
    route = flow.bound.route_of_cron(found.second_schedule)
    if found.first_schedule == found.second_schedule:
        details = (f"{len(crons[0].minutes_of_day)} runs on a day",)
        return Finding(route, "too-often", message, hint, details=details)
    related = (RelatedRoute(flow.bound.route_of_cron(found.first_schedule), "the run before is of this schedule"),)
    return Finding(route, "too-often", message, hint, related=related)
