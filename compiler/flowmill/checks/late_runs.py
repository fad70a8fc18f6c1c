"""`catchup` and `skip_if_late` are about the runs of a schedule, so a flow that sets them has one somewhere."""

from collections.abc import Iterator, Mapping
from typing import Any

from flowmill.diagnostics import Finding
from flowmill.elaborating.bound_flow import BoundFlow

CODES = {
    "no-schedule": "A key says what becomes of late runs, but the flow has no schedule, so no run is ever late; "
    "where it is inherited nothing is said, since defaults are for flows with a schedule and without."
}

_ABOUT_LATE_RUNS = ("catchup", "skip_if_late")
_SCHEDULES = {"cron", "schedules"}


def check(flow: BoundFlow) -> Iterator[Finding]:
    if _speaks_of_a_schedule(flow.written):
        return
    for key in _ABOUT_LATE_RUNS:
        if key in flow.context.own_keys and key not in flow.broken:
            message = f"`{key}` has no meaning in a flow without a schedule"
            yield Finding((key,), "no-schedule", message, "remove it, or say when the flow runs: `cron`", at_key=True)


def _speaks_of_a_schedule(written: Mapping[str, Any]) -> bool:
    """Whether it has one, had one taken away on purpose, or has one in another environment."""
    environments = written.get("environment")
    overrides = environments.values() if isinstance(environments, Mapping) else ()
    return any(_SCHEDULES & keys.keys() for keys in (written, *overrides) if isinstance(keys, Mapping))
