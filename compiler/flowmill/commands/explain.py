"""`flowmill explain`: every effective value of a flow, and the place that set it."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flowmill.commands._compiled import plan_in
from flowmill.commands._options import COLOUR, TEXT_OR_JSON, style_for, workspace_of, write

if TYPE_CHECKING:
    from flowmill.explain import Fact
    from flowmill.planning.plan import Plan
    from flowmill.report.style import Style


@click.command("explain", short_help="Show every value of a flow, and the place that set it.")
@click.argument("spec", type=click.Path(path_type=Path))
@click.argument("key", required=False)
@click.option("--env", "environment", help="The environment; the default is the first that the spec names.")
@click.option("--all", "everything", is_flag=True, help="Show what nobody has set as well, with its default.")
@TEXT_OR_JSON
@COLOUR
def command(
    spec: Path, key: str | None, environment: str | None, everything: bool, output: str, colour: bool | None
) -> int:
    """Show where the values of SPEC come from: the file and line that set each, and what it won against.

    With KEY, such as `timezone`, `vars.tag`, `steps.extract.image` or `schedules.0.paused`, tell the whole story
    of that key and of everything below it. Items of lists are numbered from 0, and so may be steps.

    \b
    Examples:
      flowmill explain specs/mobility/trips.yaml
      flowmill explain specs/mobility/trips.yaml steps.extract.image --env production
      flowmill explain specs/mobility/trips.yaml --all --format json
    """
    plan = plan_in(spec, environment, colour)
    if plan is None:
        return 1
    found = _facts(spec, plan.environment)
    chosen = _chosen(found, key) if key else found
    # A key that was asked for by its whole name is told in any case.
    chosen = [fact for fact in chosen if fact.settings or everything or key in (fact.key, fact.numbered)]
    write(_as_json(chosen) if output == "json" else _as_text(plan, chosen, key, style_for(sys.stdout, colour)))
    return 0


def _as_json(chosen: "list[Fact]") -> str:
    from flowmill.report.explanation import as_data

    return json.dumps([as_data(fact) for fact in chosen], indent=2, ensure_ascii=False) + "\n"


def _as_text(plan: "Plan", chosen: "list[Fact]", key: str | None, style: "Style") -> str:
    from flowmill.report.explanation import stories, table

    lines = stories(chosen, style) if key else table(chosen, style)
    title = style.paint(f"{plan.name} in {plan.environment}", "bold")
    return "\n".join([title, "", *lines]) + "\n"


def _facts(spec: Path, environment: str) -> "list[Fact]":
    from flowmill.explain import facts
    from flowmill.workspace import load
    from flowmill_tasks.registry import discover

    root, only = workspace_of((spec,))
    files = load(root, only)
    return facts(files.flows[0], files, discover(), environment)


def _chosen(found: "list[Fact]", key: str) -> "list[Fact]":
    """The facts about a key, and about everything below it."""
    from flowmill.suggest import did_you_mean

    below = f"{key}."
    chosen = [fact for fact in found if f"{fact.key}.".startswith(below)]
    # No step is called so: then its number may be meant.
    chosen = chosen or [fact for fact in found if f"{fact.numbered}.".startswith(below)]
    if not chosen:
        above = {".".join(words[:length]) for fact in found for words in [fact.key.split(".")] for length in (1, 2, 3)}
        raise click.UsageError(f"the flow has no key `{key}`; {did_you_mean(key, above)}")
    return chosen
