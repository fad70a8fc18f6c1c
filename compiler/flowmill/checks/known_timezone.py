"""`timezone` is in the time zone database."""

from collections.abc import Iterator

from flowmill.diagnostics import Finding
from flowmill.flow import BoundFlow
from flowmill.timezones import exists, hint

CODES = {
    "unknown-timezone": "`timezone` is not a name of the IANA time zone database, such as `Europe/Berlin` or `UTC`."
}


def check(flow: BoundFlow) -> Iterator[Finding]:
    zone = flow.spec.timezone
    if "timezone" not in flow.broken and not exists(zone):
        yield Finding(("timezone",), "unknown-timezone", f"there is no time zone `{zone[:80]}`", hint(zone))
