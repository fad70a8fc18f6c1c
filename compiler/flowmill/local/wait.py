"""Waiting for a flow's next fire time."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from flowmill.planning.plan import Plan
from flowmill.times.cron import of_plan
from flowmill.times.fire_times import fire_times
from flowmill_tasks.duration import in_words


def wait_for_next(plan: Plan, tell: Callable[[str], None]) -> None:
    """Return when the plan's schedule fires next, measured by the wall clock.

    Raises:
        ValueError: the flow has no schedule.
    """
    due = _next(plan, datetime.now(UTC))
    left = (due - datetime.now(UTC)).total_seconds()
    tell(f"waiting for {due:%Y-%m-%d %H:%M %Z}, in {in_words(int(left))}; Ctrl-C gives up\n")
    # In short naps: the wall clock may be set while we wait.
    while (left := (due - datetime.now(UTC)).total_seconds()) > 0:
        time.sleep(min(left, 30))


def _next(plan: Plan, now: datetime) -> datetime:
    """When the first of the plan's schedules fires; paused ones count, since nothing else waits for them."""
    due = [fire_times(of_plan(schedule.cron), schedule.timezone, now, 1)[0] for schedule in plan.schedules]
    if not due:
        raise ValueError(f"{plan.name} has no schedule in {plan.environment}")
    return min(due)
