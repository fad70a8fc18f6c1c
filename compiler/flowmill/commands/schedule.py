"""`flowmill schedule`: when flows run, and how much starts at once, without a server and without Prefect."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flowmill.commands._compiled import compiled_or_told, plans_in
from flowmill.commands._options import COLOUR, PATHS, style_for, write, write_file
from flowmill.commands._start import start_of, zone_of

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from flowmill.pipeline import Compiled
    from flowmill.planning.plan import Plan
    from flowmill.report.style import Style
    from flowmill.timetable.calendar import Calendar

FORMATS = ("text", "json", "html")
NEXT, DAYS = 10, 7
"""What is told where nothing was asked for."""


@click.command("schedule", short_help="Show when flows run, and how much starts at once.")
@PATHS
@click.option("--env", "environment", help="Only this environment.")
@click.option("--server", help="Only the flows of this server.")
@click.option("--next", "following", type=click.IntRange(1, 1000), metavar="N", help="Show the next N runs, no days.")
@click.option("--days", type=click.IntRange(1, 366), metavar="D", help="Show D days, no next runs.")
@click.option("--from", "start", metavar="DATE", help="Look from a date or a time on; the default is now.")
@click.option(
    "--format",
    "output",
    type=click.Choice(FORMATS),
    help="How to show; the default is what FILE is called like, or text.",
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write it into a file.")
@COLOUR
def command(
    paths: tuple[Path, ...],
    environment: str | None,
    server: str | None,
    following: int | None,
    days: int | None,
    start: str | None,
    output: str | None,
    out: Path | None,
    colour: bool | None,
) -> int:
    """Show when the flows of PATHS run next, on the clocks of their schedules and in UTC; a calendar of the days; and
    how many runs start on each server in each hour. Without PATHS, every flow is looked at.

    A schedule that is paused starts nothing and counts for nothing. With neither --next nor --days, the next 10 runs
    and 7 days are shown.

    \b
    Examples:
      flowmill schedule specs/mobility/trips.yaml --next 5
      flowmill schedule --server etl-01 --env production
      flowmill schedule --days 31 --from 2026-03-01 --out march.html
    """
    compiled = compiled_or_told(paths, colour)
    if compiled is None:
        return 1
    plans = _on_server(plans_in(compiled, environment), server)
    zone = _zone(compiled)
    seen = _seen(plans, zone, start_of(start, zone), following, days)
    chosen = output or (out.suffix.lower()[1:] if out and out.suffix.lower()[1:] in FORMATS else "text")
    told = _told(seen, chosen, style_for(sys.stdout, False if out and colour is None else colour))
    if out is None:
        write(told)
    else:
        write_file(out, told)
    return 0


def _seen(
    plans: "list[Plan]", zone: "ZoneInfo", start: "datetime", following: int | None, days: int | None
) -> "Calendar":
    from flowmill.timetable.calendar import calendar

    if following is None and days is None:
        following, days = NEXT, DAYS
    return calendar(plans, zone, start, following=following or 0, days=days or 0)


def _on_server(plans: "list[Plan]", server: str | None) -> "list[Plan]":
    """The flows of a server (None is any).

    Raises:
        click.UsageError: there are none.
    """
    from flowmill.suggest import did_you_mean

    known = {plan.server for plan in plans}
    if server is not None and server not in known:
        raise click.UsageError(f"no flow here runs on the server `{server}`; {did_you_mean(server, known)}")
    return [plan for plan in plans if server in (None, plan.server)]


def _zone(compiled: "Compiled") -> "ZoneInfo":
    flow = next(iter(compiled.usable.values()), None)
    return zone_of(flow.bound.context.workspace if flow else None)


def _told(seen: "Calendar", output: str, style: "Style") -> str:
    if output == "html":
        from flowmill.report.schedule_page import as_page

        return as_page(seen)
    if output == "json":
        from flowmill.report.schedule_data import as_data

        return json.dumps(as_data(seen), indent=2, ensure_ascii=False) + "\n"
    from flowmill.report.schedule import as_text

    return as_text(seen, style)
