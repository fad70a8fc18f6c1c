"""Every `timezone` is in the time zone database."""

from collections.abc import Iterator

from flowmill.corrections import corrected
from flowmill.diagnostics import Finding, Route
from flowmill.elaborating.bound_flow import BoundFlow
from flowmill.times.timezones import exists, hint, names

CODES = {
    "unknown-timezone": "`timezone` is not a name of the IANA time zone database, such as `Europe/Berlin` or `UTC`."
}


def check(flow: BoundFlow) -> Iterator[Finding]:
    for route, zone in _zones(flow):
        if not exists(zone):
            message, fix = f"there is no time zone `{zone[:80]}`", corrected(route, zone, names())
            yield Finding(route, "unknown-timezone", message, hint(zone), fix=fix)


def _zones(flow: BoundFlow) -> Iterator[tuple[Route, str]]:
    if "timezone" not in flow.broken:
        yield ("timezone",), flow.spec.timezone
    for index, schedule in enumerate(flow.spec.schedules):
        if schedule.timezone is not None:
            yield ("schedules", index, "timezone"), schedule.timezone
