"""How long a run takes at worst, as far as its spec says: a lower bound of that.

Every attempt of a step lasts as long as its timeout lets it, and only the last one succeeds. What has no timeout
could take for ever and counts nothing; waits for a mutex count nothing either. Steps with an `if` are counted.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from math import ceil, prod

from flowmill.counted import counted
from flowmill.planning.plan import ElementsPlan, Plan, StepPlan
from flowmill_tasks.duration import in_words


@dataclass(frozen=True)
class Stretch:
    """What one step adds to the worst case: seconds, and the sum in words."""

    seconds: float
    words: str


def worst_case(plan: Plan) -> list[Stretch]:
    """The longest way through the steps of a run, then its handlers; without steps that add nothing."""
    return [it for it in (*_longest_way(plan), *_handlers(plan)) if it.seconds]


def total(stretches: Sequence[Stretch]) -> float:
    """Their sum in seconds."""
    return sum(it.seconds for it in stretches)


def _longest_way(plan: Plan) -> list[Stretch]:
    steps = {step.id: step for step in plan.steps}
    telling = total([_stretch("on_retry", step) for step in plan.on_retry])
    ways: dict[str, list[Stretch]] = {}
    for name in TopologicalSorter({step.id: step.needs for step in plan.steps}).static_order():
        before = max((ways[other] for other in steps[name].needs), key=total, default=[])
        ways[name] = [*before, _stretch(f"`{name}`", steps[name], telling)]
    return max(ways.values(), key=total, default=[])


def _handlers(plan: Plan) -> Iterator[Stretch]:
    either = ([_stretch(key, step) for step in plan.groups[key]] for key in ("on_failure", "on_success"))
    yield from max(either, key=total)
    yield from (_stretch("finally", step) for step in plan.finally_)


def _stretch(label: str, step: StepPlan, telling: float = 0) -> Stretch:
    """What a step adds; `telling` is what `on_retry` takes each time."""
    attempts, rounds = step.retries + 1, _rounds(step.elements)
    waits = sum(step.retry_delays) + telling * step.retries
    seconds = rounds * (attempts * (step.timeout or 0) + waits)
    return Stretch(seconds, f"{label}: {_in_words(step, attempts, waits, rounds)} = {in_words(seconds)}")


def _in_words(step: StepPlan, attempts: int, waits: float, rounds: int) -> str:
    tried = f"{counted(attempts, 'attempt')} of {in_words(step.timeout)}" if step.timeout else ""
    waited = f"{in_words(waits)} between attempts" if waits else ""
    once = " + ".join(filter(None, (tried, waited)))
    return f"{rounds} x ({once})" if rounds > 1 else once


def _rounds(elements: ElementsPlan | None) -> int:
    """How often one after the other a step is carried out; a list that only the run knows counts as one element."""
    if elements is None:
        return 1
    lists = elements.matrix.values() if elements.matrix is not None else [elements.foreach]
    return ceil(prod(len(it) if isinstance(it, list) else 1 for it in lists) / elements.max_parallel)
