"""Waiting for a flow's next fire time."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from flowmill import cron, fire_times
from flowmill.plan import Plan
from flowmill_tasks.duration import in_words


def wait_for_next(plan: Plan, tell: Callable[[str], None]) -> None:
    """Return when the plan's schedule fires next, measured by the wall clock.

    Raises:
        ValueError: the flow has no schedule.
    """
    parsed = cron.parse(plan.cron) if plan.cron else None
    if not isinstance(parsed, cron.Cron):
        raise ValueError(f"{plan.name} has no `cron` in {plan.environment}")
    due = fire_times.fire_times(parsed, plan.timezone, datetime.now(UTC), 1)[0]
    left = (due - datetime.now(UTC)).total_seconds()
    tell(f"waiting for {due:%Y-%m-%d %H:%M %Z}, in {in_words(int(left))}; Ctrl-C gives up\n")
    # In short naps: the wall clock may be set while we wait.
    while (left := (due - datetime.now(UTC)).total_seconds()) > 0:
        time.sleep(min(left, 30))
