"""The steps of a flow as a page lists them."""

from dataclasses import dataclass

from flowmill.planning.plan import Plan, StepPlan
from flowmill.site.shown import Shown
from flowmill_tasks.duration import in_words as duration

TITLES = {
    "steps": "Steps",
    "on_retry": "Each time a step is tried again",
    "on_failure": "Once, when the run has failed",
    "on_success": "Once, when the run has succeeded",
    "finally": "Once, at the end of every run",
}
"""What each list of steps is for."""


@dataclass(frozen=True)
class StepRow:
    """One step.

    Attributes:
        notes: what is special about it, in words.
    """

    id: str
    name: str
    type: str
    needs: tuple[str, ...]
    timeout: str
    retries: str
    notes: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Group:
    """The steps under one key of a flow.

    Attributes:
        is_graph: whether they are the flow itself, whose steps name those that they come after.
    """

    title: str
    is_graph: bool
    steps: tuple[StepRow, ...]


def groups(plan: Plan, shown: Shown) -> tuple[Group, ...]:
    """The lists of steps that the flow has."""
    return tuple(
        Group(
            TITLES[name], name == "steps", tuple(_row(step, shown, name, number) for number, step in enumerate(steps))
        )
        for name, steps in plan.groups.items()
        if steps
    )


def _row(step: StepPlan, shown: Shown, group: str, number: int) -> StepRow:
    return StepRow(
        id=step.id,
        name=shown.text(group, number, "name"),
        type=step.type,
        needs=step.needs,
        timeout=duration(step.timeout) if step.timeout else "",
        retries=_retries(step),
        notes=tuple(_notes(step, shown, (group, number))),
    )


def _retries(step: StepPlan) -> str:
    if not step.retries:
        return ""
    waits = list(dict.fromkeys(map(duration, step.retry_delays)))
    return f"{step.retries}, after {', '.join(waits)}" if any(step.retry_delays) else f"{step.retries}, at once"


def _notes(step: StepPlan, shown: Shown, route: tuple[str, int]) -> list[tuple[str, str]]:
    """What is special about a step: a word, and the value it stands for."""
    elements = step.elements
    lists = (
        [f"{name}: {shown.text(*route, 'matrix', name)}" for name in (elements.matrix or ()) if elements]
        if elements
        else []
    )
    found = {
        "if": shown.text(*route, "if"),
        "for each of": shown.text(*route, "foreach") or "; ".join(lists),
        "at once": str(elements.max_parallel) if elements else "",
        "mutex": shown.text(*route, "mutex"),
        "a failure does not stop the run": "yes" if step.continue_on_error else "",
    }
    return [(word, text) for word, text in found.items() if text]
