"""What rules look at: one flow in one environment, or all flows together."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import NamedTuple

from flowmill.diagnostics import Finding, Route
from flowmill.elaborating.bound_flow import BoundFlow
from flowmill.elaborating.expression_findings import LAID_ELSEWHERE, step_expressions
from flowmill.expressions.language import Parsed
from flowmill.expressions.template import Expression
from flowmill.planning.plan import Plan
from flowmill.reading.tree import Tree
from flowmill.spec.workspace import Workspace
from flowmill.workspace import ProjectFile


@dataclass(frozen=True)
class LintedFlow:
    """A flow without errors in one environment.

    Attributes:
        bound: as it is written, every default applied; its routes are those of findings.
        tree: the places of all that is written, in whichever files.
        plan: what was decided: crons as lists, times in seconds.
        today: the day on which it is looked at, for rules about what is to come.
    """

    bound: BoundFlow
    tree: Tree
    plan: Plan
    today: date

    @cached_property
    def expressions(self) -> tuple[tuple[Route, Expression, Parsed], ...]:
        """All expressions, each with the route of the text that it stands in, where it has its effect."""
        written = {key: value for key, value in self.bound.written.items() if key not in LAID_ELSEWHERE}
        return tuple(step_expressions(written, ()))


@dataclass(frozen=True)
class Fleet:
    """All flows of a workspace, in all environments.

    Attributes:
        workspace: what `flowmill.yaml` says, and `tree`, where it says so.
        projects: the projects that have flows, by name.
        flows: by `<project>.<flow>` and environment.
    """

    workspace: Workspace
    tree: Tree
    projects: Mapping[str, ProjectFile]
    flows: Mapping[tuple[str, str], LintedFlow]
    today: date


class Placed(NamedTuple):
    """A finding of a rule about the fleet, and the document that its route leads through."""

    tree: Tree
    finding: Finding
