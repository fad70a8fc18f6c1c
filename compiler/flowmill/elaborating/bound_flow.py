"""A flow in one environment, bound: what the checks look at and the plan is made from."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, reduce
from graphlib import CycleError, TopologicalSorter
from operator import or_
from pathlib import Path
from typing import Any

from flowmill.diagnostics import Route
from flowmill.elaborating.names_behind import NamesBehind
from flowmill.spec.flow import HANDLERS, FlowSpec, StepKeys
from flowmill.spec.workspace import Project, Workspace
from flowmill_tasks.base import Step
from flowmill_tasks.registry import Registry


@dataclass(frozen=True)
class BoundStep:
    """One step as far as it could be understood.

    Attributes:
        route: where it stands; the first part is its group.
        written: its keys as they were written: walk these to point into an expression.
        keys: the keys that every step has, best effort: those in `broken` hold a default or a stand-in.
        model: the keys of its type, expressions still unrendered; None where one of them is wrong.
        broken: common keys that were wrong and have been reported: a check is silent about them.
    """

    route: Route
    written: Mapping[str, Any]
    keys: StepKeys
    model: Step | None
    broken: frozenset[str]

    @property
    def id(self) -> str:
        """The step's id; empty when it has none, or a wrong one."""
        return "" if "id" in self.broken else self.keys.id

    @property
    def group(self) -> str:
        """`steps`, or the handler that it belongs to."""
        return str(self.route[0])


@dataclass(frozen=True)
class Context:
    """What surrounds a flow: its workspace, its project, the step types, where it lies."""

    workspace: Workspace
    project: Project
    registry: Registry
    folder: Path
    """The project's folder, which holds the spec and everything that it may refer to."""
    project_name: str
    flow_name: str
    spec_path: str
    own_keys: frozenset[str] = frozenset()
    """The keys that the flow's own file sets for this environment, or a template that it extends; all others are
    inherited from what every flow has."""


@dataclass(frozen=True)
class BoundFlow:
    """A flow in one environment.

    `spec` is best effort: keys in `broken` were wrong, hold a default or a placeholder, and have been reported.
    """

    environment: str
    context: Context
    spec: FlowSpec
    broken: frozenset[str]
    constants: Mapping[str, Any]
    """The names that expressions may use whose values are known before the run."""
    steps: tuple[BoundStep, ...]
    handlers: Mapping[str, tuple[BoundStep, ...]]
    written: Mapping[str, Any]
    """Its keys as they were written, every default under them: walk these to point into an expression."""

    @property
    def crons(self) -> Iterator[tuple[Route, str]]:
        """Every cron expression and where it stands."""
        if self.spec.cron is not None and "cron" not in self.broken:
            yield ("cron",), self.spec.cron
        for index, schedule in enumerate(self.spec.schedules):
            yield ("schedules", index, "cron"), schedule.cron

    def route_of_cron(self, index: int) -> Route:
        """Where the expression of a schedule of the plan stands."""
        return ("schedules", index, "cron") if self.spec.schedules else ("cron",)

    def all_steps(self) -> Iterator[BoundStep]:
        """The flow's own steps, then those of its handlers."""
        yield from self.steps
        for name in HANDLERS:
            yield from self.handlers.get(name, ())

    @cached_property
    def names_behind(self) -> NamesBehind:
        """What `vars.<name>` and `steps.<id>.<key>` lead to."""
        return NamesBehind(self.written, self.context.registry)

    @cached_property
    def needs(self) -> dict[str, tuple[str, ...]]:
        """For every step of the flow, by id, the known steps that it waits for."""
        known = {step.id for step in self.steps}
        found: dict[str, tuple[str, ...]] = {}
        previous = ""
        for step in self.steps:
            written = step.keys.needs
            wanted = written if written is not None else [previous] * bool(previous)
            # The first step of an id that is given twice: together they would make circles that nobody wrote.
            found.setdefault(step.id, tuple(dict.fromkeys(name for name in wanted if name in known)))
            previous = step.id
        return found

    def ends_before(self, other: str, step: str) -> bool:
        """Whether `other` has always ended when `step` starts; true of all steps where `needs` runs in a circle."""
        return bool(self._upstream.get(step, -1) >> self._positions[other] & 1)

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {name: position for position, name in enumerate(self.needs)}

    @cached_property
    def _upstream(self) -> dict[str, int]:
        """For every step, by id, a number that has a bit for each step that has always ended before it starts."""
        found: dict[str, int] = {}
        with suppress(CycleError):
            for name in TopologicalSorter(self.needs).static_order():
                found[name] = reduce(or_, (found[other] | 1 << self._positions[other] for other in self.needs[name]), 0)
        return found
