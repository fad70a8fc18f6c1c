"""`flowmill diff`: how the flows of two commits differ, without a server and without Prefect."""

import json
import sys
from typing import TYPE_CHECKING

import click

from flowmill.commands._options import COLOUR, TEXT_OR_JSON, style_for, write
from flowmill.commands._versions import is_right, versions

if TYPE_CHECKING:
    from flowmill.history.flow_changes import FlowChanges
    from flowmill.history.origins import Origin
    from flowmill.history.versions import Version


@click.command("diff", short_help="Show how the flows of two commits differ.")
@click.argument("before", metavar="REF1")
@click.argument("after", metavar="[REF2]", required=False)
@click.option("--env", "environment", help="Only this environment.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 where anything differs, as `git diff` does.")
@TEXT_OR_JSON
@COLOUR
def command(
    before: str, after: str | None, environment: str | None, exit_code: bool, output: str, colour: bool | None
) -> int:
    """Show what each flow does differently in REF2 than in REF1, in every environment.

    REF1 and REF2 are branches, tags or commits; without REF2, the files of the work tree are looked at. What is
    compared is what flows come to, with every default applied: a spec that is only written in another way is the
    same, and a default that has changed is told at each flow it touches.

    \b
    Examples:
      flowmill diff main
      flowmill diff production main --env production
      flowmill diff "$(git merge-base origin/main HEAD)" HEAD --format json
    """
    from flowmill.history.flow_changes import changes
    from flowmill.history.origins import origins
    from flowmill_tasks.registry import discover

    registry = discover()
    sides = versions(before, after, registry)
    judged = [is_right(version, colour) for version in sides]
    if not all(judged):
        return 1
    _check_environment(environment, sides)
    found = changes(*sides, registry, environment)
    shared = origins(found.found, *sides, registry)
    if output == "json":
        _write_json(before, after, found, shared)
    else:
        _write_text(sides, found, shared, colour)
    return 1 if exit_code and found.found else 0


def _write_json(before: str, after: str | None, found: "FlowChanges", shared: "list[Origin]") -> None:
    from flowmill.report.flow_changes import as_data

    content = {"before": before, "after": after, **as_data(found, shared)}
    write(json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def _write_text(
    sides: "tuple[Version, Version]", found: "FlowChanges", shared: "list[Origin]", colour: bool | None
) -> None:
    from flowmill.report.flow_changes import as_text

    write(as_text((sides[0].name, sides[1].name), found, shared, style_for(sys.stdout, colour)))


def _check_environment(environment: str | None, sides: "tuple[Version, Version]") -> None:
    """Refuse an environment that neither side has.

    Raises:
        click.UsageError: neither flowmill.yaml names it.
    """
    from flowmill.suggest import did_you_mean

    known = [name for side in sides if side.files.spec for name in side.files.spec.environments]
    if environment is not None and environment not in known:
        raise click.UsageError(f"there is no environment `{environment}`; {did_you_mean(environment, known)}")
