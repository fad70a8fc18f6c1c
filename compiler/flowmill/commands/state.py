"""`flowmill state`: the times of last successes, seen and set by hand."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flowmill.commands._compiled import compiled_or_told, plan_in, plans_in
from flowmill.commands._options import COLOUR, ENVIRONMENT, PATHS, TEXT_OR_JSON, workspace_of, write

if TYPE_CHECKING:
    from datetime import datetime

    from flowmill.planning.plan import Plan
    from flowmill.running.success_times import SuccessTimes

SPEC = click.argument("spec", type=click.Path(path_type=Path))
ON_SERVER = click.option(
    "--on-server", is_flag=True, help="On the Prefect server that PREFECT_API_URL names, not on this machine."
)
_HEADINGS = {"flow": "flow", "environment": "environment", "start": "last success", "default": "default"}


@click.group("state", short_help="Show or set the times of last successes.")
def command() -> None:
    """The times of last successes: `last_success.start` of each flow that has the key `last_success`.

    Runs of `flowmill run` keep theirs in .flowmill/state, those of workers on the Prefect server.

    \b
    Examples:
      flowmill state show
      flowmill state show specs/mobility --env production --on-server
      flowmill state set specs/mobility/trips.yaml 2026-11-01 --env staging
      flowmill state reset specs/mobility/trips.yaml --env staging
    """


@command.command("show", short_help="Show the times that are kept.")
@PATHS
@click.option("--env", "environment", help="Only this environment.")
@ON_SERVER
@TEXT_OR_JSON
@COLOUR
def show(paths: tuple[Path, ...], environment: str | None, on_server: bool, output: str, colour: bool | None) -> int:
    """Show the time that each flow keeps, in the flow's zone; `-` where it would begin with its default.

    \b
    Examples:
      flowmill state show
      flowmill state show specs/mobility/trips.yaml --on-server --format json
    """
    compiled = compiled_or_told(paths, colour)
    if compiled is None:
        return 1
    plans = [plan for plan in plans_in(compiled, environment) if plan.last_success is not None]
    store = _store(workspace_of(paths)[0], on_server)
    problems: list[str] = []
    rows = [_row(plan, store, problems) for plan in plans]
    write(json.dumps(rows, ensure_ascii=False, indent=2) + "\n" if output == "json" else _table(rows))
    write("".join(f"Error: {problem}\n" for problem in problems), sys.stderr)
    return 1 if problems else 0


@command.command("set", short_help="Set the time that a flow keeps.")
@SPEC
@click.argument("time")
@ENVIRONMENT
@ON_SERVER
def set_time(spec: Path, time: str, environment: str, on_server: bool) -> int:
    """Let the next run of SPEC begin with TIME as its `last_success.start`; an earlier one loads anew.

    TIME is a date or a time, in the flow's zone unless it has an offset. Do it while no run of the flow is going
    on: one that ends well afterwards keeps its own start, which is later.

    \b
    Examples:
      flowmill state set specs/mobility/trips.yaml 2026-11-01 --env staging
      flowmill state set specs/mobility/trips.yaml 2026-11-01T06:00+01:00 --env production --on-server
    """
    plan = _keeping(spec, environment)
    if plan is None:
        return 1
    from flowmill.running.success_times import TimesError, name_of

    start = _time(time, plan)
    store = _store(spec, on_server)
    try:
        store.set(name_of(plan), start)
    except TimesError as error:
        raise click.ClickException(str(error)) from None
    write(f"last success of {plan.name} in {plan.environment}: {_shown(start, plan)} (kept {store.where})\n")
    return 0


@command.command("reset", short_help="Forget the time that a flow keeps.")
@SPEC
@ENVIRONMENT
@ON_SERVER
def reset(spec: Path, environment: str, on_server: bool) -> int:
    """Let the next run of SPEC begin with the default, as if there had been no success.

    \b
    Examples:
      flowmill state reset specs/mobility/trips.yaml --env staging
    """
    plan = _keeping(spec, environment)
    if plan is None:
        return 1
    from flowmill.running.success_times import TimesError, name_of

    store = _store(spec, on_server)
    try:
        store.reset(name_of(plan))
    except TimesError as error:
        raise click.ClickException(str(error)) from None
    write(f"last success of {plan.name} in {plan.environment}: forgotten {store.where}; its default holds\n")
    return 0


def _keeping(spec: Path, environment: str) -> "Plan | None":
    """The plan of a flow that keeps a time; None where the spec is wrong and says so."""
    plan = plan_in(spec, environment)
    if plan is not None and plan.last_success is None:
        hint = "add `last_success: {default: 1970-01-01}` to the flow"
        raise click.UsageError(f"{plan.name} does not keep the time of its last success in {environment}; {hint}")
    return plan


def _store(spec: Path, on_server: bool) -> "SuccessTimes":
    from flowmill.running.success_times import TimesError

    if not on_server:
        from flowmill.local.success_times import LocalTimes

        return LocalTimes(spec)
    from flowmill.backend.success_times import configured_server

    try:
        return configured_server()
    except TimesError as error:
        raise click.ClickException(str(error)) from None


def _time(text: str, plan: "Plan") -> "datetime":
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo

    from flowmill.times.moments import EXAMPLES, moment

    found = moment(text, ZoneInfo(plan.timezone))
    if found is None:
        raise click.UsageError(f"`{text}` is neither a date nor a time, such as {EXAMPLES}")
    if found > datetime.now(UTC):
        # It would stay: no success before that moment is later.
        raise click.UsageError(f"`{text}` lies in the future, where no success has been")
    return found


def _row(plan: "Plan", store: "SuccessTimes", problems: list[str]) -> dict[str, Any]:
    from flowmill.running.success_times import TimesError, TimesUnreachable, name_of

    start: str | None = None
    try:
        kept = store.read(name_of(plan))
        start = _shown(kept, plan) if kept else None
    except TimesUnreachable as error:
        raise click.ClickException(str(error)) from None
    except TimesError as error:
        problems.append(str(error))
    return {"flow": plan.name, "environment": plan.environment, "start": start, "default": plan.last_success}


def _shown(start: "datetime", plan: "Plan") -> str:
    from zoneinfo import ZoneInfo

    return start.astimezone(ZoneInfo(plan.timezone)).isoformat(timespec="seconds")


def _table(rows: list[dict[str, Any]]) -> str:
    from flowmill.report.style import printable

    if not rows:
        return "no flow here keeps the time of its last success\n"
    lines = [_HEADINGS, *({key: printable(value or "-") for key, value in row.items()} for row in rows)]
    widths = {key: max(len(line[key]) for line in lines) for key in _HEADINGS}
    return "".join("  ".join(line[key].ljust(widths[key]) for key in widths).rstrip() + "\n" for line in lines)
