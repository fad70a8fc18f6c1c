"""What rules look at: one flow in one environment, or all flows together."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from flowmill.diagnostics import Finding
from flowmill.flow import BoundFlow
from flowmill.plan import Plan
from flowmill.reading.tree import Tree
from flowmill.spec import Workspace
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
