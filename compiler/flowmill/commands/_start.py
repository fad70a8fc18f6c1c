"""The moment that a verb looks from, and the clock that it is read on."""

from datetime import datetime
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from flowmill.spec.workspace import Workspace


def zone_of(workspace: "Workspace | None") -> "ZoneInfo":
    """The zone of a workspace; UTC where it has none that exists, which is only an error where a flow inherits it."""
    from zoneinfo import ZoneInfo

    from flowmill.times.timezones import exists

    name = workspace.timezone if workspace else ""
    return ZoneInfo(name if exists(name) else "UTC")


def start_of(text: str | None, zone: "ZoneInfo", how: str = "write") -> datetime:
    """What `--from` says, or now.

    Args:
        how: the words of the verb before the examples.

    Raises:
        click.UsageError: the text is neither a date nor a time.
    """
    from flowmill.times.moments import EXAMPLES, moment

    if text is None:
        return datetime.now(zone)
    found = moment(text, zone)
    if found is None:
        raise click.UsageError(f"`{text}` is neither a date nor a time; {how} {EXAMPLES}")
    return found
