"""`flowmill graph`: the steps of a flow as a picture, without Prefect."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flowmill import pictures
from flowmill.commands._compiled import plan_in
from flowmill.commands._options import COLOUR, style_for, write, write_file
from flowmill.commands._versions import is_right, versions

if TYPE_CHECKING:
    from flowmill.pictures.graph import Graph
    from flowmill.planning.plan import Plan


@click.command("graph", short_help="Draw the steps of a flow.")
@click.argument("spec", type=click.Path(path_type=Path))
@click.option("--env", "environment", help="The environment; the default is the first that the spec names.")
@click.option(
    "--format",
    "output",
    type=click.Choice(pictures.names()),
    help="How to draw; the default is what FILE is called like, or text.",
)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write it into a file.")
@click.option("--against", metavar="REF", help="Show what has changed since a branch, a tag or a commit.")
@COLOUR
def command(
    spec: Path,
    environment: str | None,
    output: str | None,
    out: Path | None,
    against: str | None,
    colour: bool | None,
) -> int:
    """Draw the steps of SPEC: what waits for what, under which condition, how often and for how long; the handlers
    apart.

    Mermaid is drawn by GitHub and GitLab wherever it stands in a page. SVG is one file without scripts, which is
    light or dark as its reader likes it. With --against, steps and edges that came are green, those that went are
    red, and what has changed is yellow, with its keys.

    \b
    Examples:
      flowmill graph specs/finance/publishing.yaml
      flowmill graph specs/finance/publishing.yaml --env production --out publishing.svg
      flowmill graph specs/finance/publishing.yaml --against main --format mermaid
    """
    plan = plan_in(spec, environment, colour)
    graph = _graph(plan, against, colour) if plan else None
    if graph is None:
        return 1
    chosen = output or (pictures.format_of(out.name) if out else None) or "text"
    picture = pictures.draw(graph, chosen, style_for(sys.stdout, False if out and colour is None else colour))
    if out is None:
        write(picture)
    else:
        write_file(out, picture)
    return 0


def _graph(plan: "Plan", against: str | None, colour: bool | None) -> "Graph | None":
    """What is to be drawn; None where the other version is wrong and says so."""
    from flowmill.pictures.graph import graph_of

    if against is None:
        return graph_of(plan)
    from flowmill.history.flow_changes import changes
    from flowmill.pictures.against import compared
    from flowmill_tasks.registry import discover

    registry = discover()
    sides = versions(against, None, registry)
    if not all(is_right(side, colour) for side in sides):
        return None
    found = changes(*sides, registry, plan.environment).found
    change = next((it for it in found if it.flow == plan.name), None)
    return compared(plan, change, against)
