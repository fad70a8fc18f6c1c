"""The rules of a run once more, as simply as they can be said: what tests compare the real thing with.

It shares no code with the compiler, knows no order in time, and computes each step from the ends of the steps
before it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Element:
    """One element of a step's list: whether it fails when it runs."""

    fails: bool


@dataclass(frozen=True)
class Step:
    """A step: what it needs, how it ends if it runs, and under which condition it does.

    Attributes:
        condition: one of `CONDITIONS`.
        elements: None for a step without a list.
    """

    id: str
    needs: tuple[str, ...] = ()
    fails: bool = False
    allowed: bool = False
    condition: str | None = None
    elements: tuple[Element, ...] | None = None
    fail_fast: bool = True


CONDITIONS: Mapping[str | None, Callable[[bool], bool | None]] = {
    None: lambda failed_before: not failed_before,
    "success()": lambda failed_before: not failed_before,
    "failure()": lambda failed_before: failed_before,
    "always()": lambda failed_before: True,
    "not success()": lambda failed_before: failed_before,
    "success() or failure()": lambda failed_before: True,
    "environment == 'staging'": lambda failed_before: not failed_before,
    "environment == 'production'": lambda failed_before: False,
    "always() and environment == 'staging'": lambda failed_before: True,
    "failure() and environment == 'production'": lambda failed_before: False,
    # What cannot be evaluated fails the step, unless it would not have been asked.
    "steps.nowhere.exit_code == 0": lambda failed_before: False if failed_before else None,
    "always() and steps.nowhere.exit_code == 0": lambda failed_before: None,
    "always() and 'text'": lambda failed_before: None,
}
"""What each condition says, by whether a step before has failed: true, false, or None for "cannot be said"."""


def states(steps: list[Step]) -> dict[str, str]:
    """How each step ends: `success`, `failed` or `skipped`. Steps stand behind those that they need."""
    found: dict[str, str] = {}
    for step in steps:
        found[step.id] = _state(step, failed_before(step, steps, found))
    return found


def run_fails(steps: list[Step]) -> bool:
    """Whether the run has failed: any failure counts that is not allowed, whatever ran after it."""
    ends = states(steps)
    return any(ends[step.id] == "failed" and not step.allowed for step in steps)


def failed_before(step: Step, steps: list[Step], ends: Mapping[str, str]) -> bool:
    """Whether a step that this one needs, directly or through others, has failed and may not."""
    by_id = {other.id: other for other in steps}
    waiting, seen = list(step.needs), set()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += by_id[name].needs
    return any(ends[name] == "failed" and not by_id[name].allowed for name in seen)


def _state(step: Step, failed_before: bool) -> str:
    runs = CONDITIONS[step.condition](failed_before)
    if runs is None:
        return "failed"
    if not runs:
        return "skipped"
    if step.elements is not None:
        return "failed" if any(element.fails for element in step.elements) else "success"
    return "failed" if step.fails else "success"


def elements_that_run(step: Step) -> int:
    """How many elements of a step are carried out when they go one at a time."""
    for number, element in enumerate(step.elements or (), start=1):
        if element.fails and step.fail_fast:
            return number
    return len(step.elements or ())
