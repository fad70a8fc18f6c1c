"""Every `timezone` is in the time zone database."""

from collections.abc import Iterator
from functools import cache

from flowmill.diagnostics import Finding, Route
from flowmill.flow import BoundFlow
from flowmill.suggest import did_you_mean

CODES = {
    "unknown-timezone": "`timezone` is not a name of the IANA time zone database, such as `Europe/Berlin` or `UTC`."
}


def check(flow: BoundFlow) -> Iterator[Finding]:
    for route, zone in _zones(flow):
        if not _exists(zone):
            yield Finding(route, "unknown-timezone", f"there is no time zone `{zone[:80]}`", _hint(zone))


def _zones(flow: BoundFlow) -> Iterator[tuple[Route, str]]:
    if "timezone" not in flow.broken:
        yield ("timezone",), flow.spec.timezone
    for index, schedule in enumerate(flow.spec.schedules):
        if schedule.timezone is not None:
            yield ("schedules", index, "timezone"), schedule.timezone


@cache
def _exists(zone: str) -> bool:
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(zone).key == zone and zone != "localtime"
    except (KeyError, ValueError, OSError):
        return False  # not in the database, or not even a relative path


def _hint(zone: str) -> str:
    from zoneinfo import available_timezones

    hint = did_you_mean(zone, available_timezones())
    return hint if hint.startswith("did") else "use a name such as `America/Chicago`, `Europe/Berlin` or `UTC`"
