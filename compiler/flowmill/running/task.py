"""What is carried out at a time: a step, or one element of a step that has several."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flowmill.expressions.language import ExpressionError
from flowmill.planning.plan import StepPlan
from flowmill.running.naming import name_from
from flowmill.running.run import Run


@dataclass(frozen=True)
class StepTask:
    """A step, or one element of it.

    Attributes:
        label: how people tell it from the others: `load`, or `load[lime]`.
        key: how programs do: the same for every attempt, and of no other task of the run.
        names: what its expressions may use besides what is known in the whole run.
    """

    step: StepPlan
    label: str
    key: str
    names: Mapping[str, Any] = field(default_factory=dict)

    def name(self, run: Run) -> str:
        """What its task run is called: the step's `name` with its values, secrets masked, or else the label."""
        try:
            return name_from(self.step.name, run, self.names) or self.label
        except ExpressionError:
            return self.label  # it uses a result that is not there; a name is no reason to fail


def whole(step: StepPlan) -> StepTask:
    """The task of a step that is carried out once, or not at all."""
    return StepTask(step, step.id, step.id)
