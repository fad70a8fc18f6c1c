"""A date or a time as people write it: `2026-01-31`, `2026-01-31T06:00`, `2026-01-31 06:00:00+01:00`."""

import re
from datetime import UTC, datetime, tzinfo

_WRITTEN = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ](?:[01]\d|2[0-3]):\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:?\d\d)?)?", re.ASCII
)
EXAMPLES = "`2026-01-31`, `2026-01-31T06:00` or `2026-01-31T06:00+01:00`"


def moment(text: str, zone: tzinfo) -> datetime | None:
    """The moment that the text means, on the clocks of `zone`; None where it is neither a date nor a time.

    A date is its midnight. What has no offset is read in `zone`; of an hour that comes twice the first is meant.
    """
    written = _WRITTEN.fullmatch(text.strip())
    try:
        found = datetime.fromisoformat(written[0] if written else "")
    except ValueError:
        return None
    if not 1 < found.year < 9999:
        return None  # on other clocks it would lie outside of what a date can be
    # There and back, since a time that the clocks of a zone leave out lies behind the gap.
    return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC).astimezone(zone)
