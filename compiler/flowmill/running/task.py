"""What is carried out at a time: a step, or one element of a step that has several."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flowmill.expressions.language import ExpressionError
from flowmill.expressions.render import as_text, marked, render
from flowmill.plan import StepPlan
from flowmill.report.style import printable
from flowmill.running.run import Run

NAME_AT_MOST = 200
"""Characters of a task run's name."""


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
            written = as_text(render(marked(self.step.name), run.scope(self.names)))
        except ExpressionError:
            written = ""  # it uses a result that is not there; a name is no reason to fail
        return run.redactor.mask(" ".join(printable(written).split()))[:NAME_AT_MOST] or self.label


def whole(step: StepPlan) -> StepTask:
    """The task of a step that is carried out once, or not at all."""
    return StepTask(step, step.id, step.id)
