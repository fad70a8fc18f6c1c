"""A run can still go on when the next one is due, and nothing says what happens then.

Prefect starts the second run beside the first. Both then load the same hour, or write the same table, and which of
them ends last is a matter of luck. It happens on the bad day, when steps are retried and take as long as they may.

Say what is to happen: `concurrency: 1` lets the next run wait, and
`concurrency: {limit: 1, on_conflict: cancel_new}` leaves it out; where both may go on, allow `concurrency: 2`. Or make
the worst case shorter: fewer retries, shorter timeouts.

The worst case is the longest way through `needs`, every attempt as long as its `timeout`, with the waits between
attempts, and the handlers behind it. Steps without a timeout count nothing, so the real one may be longer still.
"""

from collections.abc import Iterator

from flowmill.diagnostics import Finding, Severity
from flowmill.lint.distances import Distance, shortest_distance
from flowmill.lint.subjects import LintedFlow
from flowmill.lint.worst_case import Stretch, total, worst_case
from flowmill.spec.lint import RuleOptions
from flowmill_tasks.duration import in_words

SEVERITY = Severity.WARNING
SUMMARY = "The worst case of a run is longer than the time to the next one, and no `concurrency` says what then."


def check(flow: LintedFlow, options: RuleOptions) -> Iterator[Finding]:
    if not flow.plan.schedules or flow.plan.concurrency or _waits_in_queue(flow):
        return
    way = worst_case(flow.plan)
    found = shortest_distance(flow.plan, flow.today) if way else None
    if found is not None and total(way) > found.minutes * 60:
        yield _finding(flow, found, way)


def _waits_in_queue(flow: LintedFlow) -> bool:
    """Whether the queue lets one run at a time go on, whichever flow it is of."""
    server = flow.bound.context.workspace.servers[flow.plan.server]
    queue = server.queues.get(flow.plan.queue or "")
    return queue is not None and queue.concurrency == 1


def _finding(flow: LintedFlow, found: Distance, way: list[Stretch]) -> Finding:
    apart = in_words(found.minutes * 60)
    message = f"a run can take {in_words(total(way))}, but the next one comes after {apart}, as at {found.times}"
    hint = "add `concurrency: 1`, or `{limit: 1, on_conflict: cancel_new}`"
    details = tuple(it.words for it in way)
    return Finding(flow.bound.route_of_cron(found.second_schedule), "overlapping-runs", message, hint, details=details)
