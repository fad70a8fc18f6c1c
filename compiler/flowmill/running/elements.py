"""`foreach` and `matrix`: a step that is carried out once for each element of a list.

Elements start in the order of the list, at most `max_parallel` at a time; after one has failed no other is
started unless `fail_fast` is false. The step has failed when one of its elements has.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from pydantic import Field

from flowmill.counted import counted
from flowmill.expressions.language import ExpressionError
from flowmill.expressions.render import as_text, marked, render
from flowmill.planning.plan import ElementsPlan, StepPlan
from flowmill.report.style import printable
from flowmill.running.outcome import Outcome, State
from flowmill.running.redaction import Redactor
from flowmill.running.run import Run
from flowmill.running.task import StepTask
from flowmill_tasks.base import Output

ELEMENTS_AT_MOST = 1000
SHOWN_AT_MOST = 40
"""Characters of an element in the label of its task."""
NOTHING_TO_DO = "nothing to do: the list is empty"

RunTask = Callable[[StepTask, Outcome | None], Awaitable[Outcome]]


class Elements(Output):
    """What a step yields that has elements: what each of them has yielded."""

    results: list[dict[str, Any]] = Field(default_factory=list)


def elements_of(step: StepPlan, plan: ElementsPlan, run: Run) -> list[StepTask]:
    """The tasks of a step, one per element.

    Raises:
        ExpressionError: a list cannot be made, is something else, or is too long; the message quotes no value.
    """
    scope = run.scope()
    if plan.matrix is None:
        names = [{"item": item} for item in _list("foreach", plan.foreach, scope)]
    else:
        lists = [_list(f"matrix.{name}", values, scope) for name, values in plan.matrix.items()]
        _check_length(step.id, lists)
        names = [{"matrix": dict(zip(plan.matrix, items, strict=True))} for items in product(*lists)]
    _check_length(step.id, [names])
    return [_element(step, number, its, run) for number, its in enumerate(names, start=1)]


def _list(key: str, values: Any, scope: dict[str, Any]) -> list[Any]:
    found = render(marked(values), scope)
    if not isinstance(found, list):
        hint = "a text becomes one with `| lines`, `| split(',')` or `| parse_json`"
        raise ExpressionError(f"`{key}` gives {_kind(found)}, but must give a list; {hint}")
    return found


def _kind(value: Any) -> str:
    return "a map" if isinstance(value, Mapping) else "a number" if isinstance(value, int | float) else "a text"


def _check_length(step: str, lists: Sequence[Sequence[Any]]) -> None:
    count = 1
    for items in lists:
        count *= len(items)
    if count > ELEMENTS_AT_MOST:
        raise ExpressionError(f"`{step}` would run {count:,} times; at most {ELEMENTS_AT_MOST:,} are allowed")


def _element(step: StepPlan, number: int, names: dict[str, Any], run: Run) -> StepTask:
    values = names["matrix"].values() if "matrix" in names else [names["item"]]
    shown = ", ".join(_shown(value, run.redactor) for value in values)
    return StepTask(step, f"{step.id}[{shown}]", f"{step.id}.{number}", names)


def _shown(value: Any, redactor: Redactor) -> str:
    # Masked first: a secret that has been cut, or whose white space has been folded, is no longer known.
    masked = redactor.mask("null" if value is None else as_text(value))
    text = " ".join(printable(masked).split())
    return text if len(text) <= SHOWN_AT_MOST else f"{text[: SHOWN_AT_MOST - 1]}…"


async def run_elements(plan: ElementsPlan, tasks: list[StepTask], run_task: RunTask) -> list[Outcome]:
    """Carry the elements out, and give their outcomes in the order of the list."""
    places = asyncio.Semaphore(plan.max_parallel)
    failed: list[str] = []

    async def one(task: StepTask) -> Outcome:
        async with places:
            outcome = await run_task(task, _not_after(failed, task) if plan.fail_fast else None)
        if outcome.failed:
            failed.append(task.label)
        return outcome

    async with asyncio.TaskGroup() as group:
        started = [group.create_task(one(task)) for task in tasks]
    return [task.result() for task in started]


def _not_after(failed: list[str], task: StepTask) -> Outcome | None:
    if not failed:
        return None
    return Outcome(task.step.id, State.SKIPPED, f"skipped because `{failed[0]}` failed", because=task.step.id)


def summary(step: StepPlan, tasks: list[StepTask], outcomes: list[Outcome]) -> Outcome:
    """The outcome of the step as a whole."""
    pairs = list(zip(tasks, outcomes, strict=True))
    output = Elements(results=[_result(task, outcome) for task, outcome in pairs])
    attempts = max((outcome.attempts for outcome in outcomes), default=0)
    failures = [(task, outcome) for task, outcome in pairs if outcome.failed]
    if not failures:
        return Outcome(step.id, State.SUCCESS, _count(outcomes), output, attempts=attempts)
    task, first = failures[0]
    message = f"{len(failures)} of {len(tasks)} elements failed, first `{task.label}`: {first.message}"
    return Outcome(step.id, first.state, message, output, first.exit_code, first.tail, attempts)


def _count(outcomes: list[Outcome]) -> str:
    return f"{counted(len(outcomes), 'element')} succeeded" if outcomes else NOTHING_TO_DO


def _result(task: StepTask, outcome: Outcome) -> dict[str, Any]:
    return {**dict(_element_names(task)), **outcome.fields()}


def _element_names(task: StepTask) -> Iterator[tuple[str, Any]]:
    yield "item", task.names.get("item", task.names.get("matrix"))
