"""The plan of one spec, for verbs that are about one flow."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flowmill.commands._options import style_for, workspace_of, write

if TYPE_CHECKING:
    from flowmill.pipeline import Compiled
    from flowmill.planning.plan import Plan


def plan_in(spec: Path, environment: str | None, colour: bool | None = None) -> "Plan | None":
    """The plan of a spec in an environment (None is the first that it names); None where a spec is wrong and says so.

    Raises:
        click.UsageError: there is no such spec, or it does not name the environment.
    """
    from flowmill.suggest import did_you_mean

    if spec.is_dir():
        raise click.UsageError(f"`{spec}` is a folder; name one spec")
    compiled = compiled_or_told((spec,), colour)
    if compiled is None:
        return None
    plans = {name: plan for (_, name), plan in compiled.plans.items()}
    if not plans:
        raise click.UsageError(f"`{spec}` is not the spec of a flow")
    if environment is not None and environment not in plans:
        raise click.UsageError(
            f"the spec does not name the environment `{environment}`; {did_you_mean(environment, plans)}"
        )
    return plans[environment] if environment else next(iter(plans.values()))


def compiled_or_told(paths: tuple[Path, ...], colour: bool | None) -> "Compiled | None":
    """The flows of these paths, compiled; None where one is wrong, when its mistakes have been printed.

    Raises:
        click.UsageError: a path does not exist, or there is no workspace around it.
    """
    from flowmill.pipeline import compile_workspace
    from flowmill.report import render

    root, only = workspace_of(paths)
    compiled = compile_workspace(root, only)
    if not compiled.errors:
        return compiled
    write(render(compiled, "text", style_for(sys.stderr, colour)), sys.stderr)
    return None


def plans_in(compiled: "Compiled", environment: str | None) -> "list[Plan]":
    """The plans of an environment (None is all of them).

    Raises:
        click.UsageError: no flow names it.
    """
    from flowmill.suggest import did_you_mean

    named = {name for _, name in compiled.plans}
    if environment is not None and environment not in named:
        hint = did_you_mean(environment, named)
        raise click.UsageError(f"no flow here names the environment `{environment}`; {hint}")
    return [plan for (_, name), plan in compiled.plans.items() if environment in (None, name)]
