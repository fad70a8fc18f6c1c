"""`flowmill run`: run one flow now, here."""

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import click

from flowmill.commands._compiled import plan_in
from flowmill.commands._options import COLOUR, reader_left, style_for, write

if TYPE_CHECKING:
    from flowmill.local.results import Results
    from flowmill.planning.plan import Plan
    from flowmill.running.runtime import Observer, Runtime, Selection


class _Options(TypedDict):
    """What the command line says about how to run."""

    given: tuple[str, ...]
    deliver: bool
    outbox: Path
    on_schedule: bool
    only: str | None
    start: str | None
    dry_run: bool


@click.command("run", short_help="Run one flow now, here.")
@click.argument("spec", type=click.Path(path_type=Path))
@click.option("--env", "environment", help="The environment; the default is the first that the spec names.")
@click.option("--set", "given", multiple=True, metavar="NAME=VALUE", help="A parameter of the run; may be repeated.")
@click.option("--deliver", is_flag=True, help="Send mails and Slack messages instead of writing them to the outbox.")
@click.option(
    "--outbox",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("outbox"),
    show_default=True,
    help="Folder for undelivered messages.",
)
@click.option("--on-schedule", is_flag=True, help="Wait for the next fire time first.")
@click.option("--only", metavar="STEP", help="Run this step alone.")
@click.option(
    "--from",
    "start",
    metavar="STEP",
    help="Run this step and everything that needs it; the others give the results of the last run.",
)
@click.option("--dry-run", is_flag=True, help="Print what each step would do, and start nothing.")
@COLOUR
def command(spec: Path, environment: str | None, colour: bool | None, **options: Unpack[_Options]) -> int:
    """Run the flow of SPEC now, in this process; the exit code is the run's result.

    Mails and Slack messages go to the outbox folder unless --deliver is given. Prefect keeps the run: on the
    server that PREFECT_API_URL names, or on its embedded one.

    \b
    Examples:
      flowmill run specs/mobility/trips.yaml
      flowmill run specs/mobility/trips.yaml --env production --set hours_back=48
      flowmill run specs/mobility/trips.yaml --dry-run
      flowmill run specs/mobility/trips.yaml --from load --deliver
    """
    plan = plan_in(spec, environment, colour)
    if plan is None:
        return 1
    selection = _selection(plan, options["only"], options["start"])
    parameters = _parameters(options["given"], plan)
    outbox = None if options["deliver"] else options["outbox"]
    if options["dry_run"]:
        return _dry_run(plan, spec, outbox, selection, parameters)
    if options["on_schedule"]:
        _wait(plan)
    return _run(plan, spec, outbox, selection, parameters, colour)


def _selection(plan: "Plan", only: str | None, start: str | None) -> "Selection":
    from flowmill.running.runtime import Selection
    from flowmill.suggest import did_you_mean

    if only and start:
        raise click.UsageError("give --only or --from, not both")
    ids = [step.id for step in plan.steps]
    for step in (only, start):
        if step is not None and step not in ids:
            raise click.UsageError(f"there is no step `{step}`; {did_you_mean(step, ids)}")
    return Selection(only, start)


def _parameters(given: tuple[str, ...], plan: "Plan") -> dict[str, Any]:
    from flowmill.local.given import BadParameter, parameters_from

    try:
        return parameters_from(given, plan)
    except BadParameter as error:
        raise click.UsageError(str(error)) from None


def _dry_run(plan: "Plan", spec: Path, outbox: Path | None, selection: "Selection", parameters: dict[str, Any]) -> int:
    from flowmill.local.dry_run import dry_run
    from flowmill.local.runtime import local_runtime
    from flowmill.report.style import printable

    runtime = local_runtime(spec, outbox, selection=selection)
    write("".join(f"{printable(line)}\n" for line in dry_run(plan, runtime, parameters)))
    return 0


def _wait(plan: "Plan") -> None:
    from flowmill.local.wait import wait_for_next

    try:
        wait_for_next(plan, write)
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def _run(
    plan: "Plan",
    spec: Path,
    outbox: Path | None,
    selection: "Selection",
    parameters: dict[str, Any],
    colour: bool | None,
) -> int:
    from flowmill.backend.local_run import NoServer, run_here
    from flowmill.local.afterwards import afterwards

    _clear_up(plan)
    before = _messages(outbox)
    results = _results(plan, spec)
    with _view(colour) as view:
        runtime = _runtime(plan, spec, outbox, view, selection, results)
        try:
            succeeded = run_here(plan, runtime, parameters)
        except NoServer as error:
            raise click.ClickException(str(error)) from None
    if view.outcome:
        write("".join(f"{line}\n" for line in afterwards(plan, runtime, results, view.outcome)))
    if outbox and _messages(outbox) - before:
        write(f"messages were not sent: they are in {outbox}/ (--deliver sends them)\n")
    return 0 if succeeded else 1


def _clear_up(plan: "Plan") -> None:
    """Remove what a run that was killed has left behind, as far as this one could meet it."""
    from flowmill.report.style import printable
    from flowmill.running.clearing import clear_up
    from flowmill_tasks.registry import discover

    types = {step.type for group in plan.groups.values() for step in group}
    clear_up((discover()[name] for name in sorted(types)), lambda line: write(f"{printable(line)}\n"))


def _results(plan: "Plan", spec: Path) -> "Results":
    from datetime import UTC, datetime
    from zoneinfo import ZoneInfo

    from flowmill.local.results import Results

    return Results.of(plan, spec, datetime.now(UTC).astimezone(ZoneInfo(plan.timezone)))


def _runtime(
    plan: "Plan", spec: Path, outbox: Path | None, view: "Observer", selection: "Selection", results: "Results"
) -> "Runtime":
    """The services of the run; steps that are left out have the results of earlier runs."""
    from dataclasses import replace

    from flowmill.local.runtime import local_runtime

    runtime = local_runtime(spec, outbox, view, selection)
    kept = results.left_out(selection.chosen(plan), runtime.registry)
    return replace(runtime, selection=replace(selection, kept=kept))


def _messages(outbox: Path | None) -> set[Path]:
    return set(outbox.iterdir()) if outbox and outbox.is_dir() else set()


def _view(colour: bool | None) -> "Any":
    """A live board on a terminal, plain lines elsewhere."""
    from flowmill.local.plain_view import PlainView

    style = style_for(sys.stdout, colour)
    if not sys.stdout.isatty():
        view: Observer = PlainView(_write_on, style)
        return nullcontext(view)
    from rich.console import Console

    from flowmill.local.live_view import LiveView

    return LiveView(Console(no_color=not style.colour))


def _write_on(text: str) -> None:
    """Print, and let the run go on when nobody reads any more (`flowmill run ... | head`)."""
    try:
        write(text)
    except BrokenPipeError:
        reader_left()
