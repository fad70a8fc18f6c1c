"""What a run would do, step by step: every command with its values, `***` for secrets; nothing is started."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flowmill.expressions.language import ExpressionError, Parsed, parse
from flowmill.expressions.placeholder import Placeholders
from flowmill.expressions.render import as_text, map_texts, marked, render
from flowmill.expressions.template import Expression, Piece, has_expression, join, split
from flowmill.planning.plan import Plan, StepPlan
from flowmill.running.attempt import build_model, step_run
from flowmill.running.elements import elements_of
from flowmill.running.last_success import UNKNOWN, start_before
from flowmill.running.run import Facts, Run
from flowmill.running.runtime import Runtime
from flowmill.running.success_times import TimesError
from flowmill.running.task import StepTask, whole
from flowmill_tasks.base import StepFailed

_RESULTS = ("steps", "failure", "retry", "item", "matrix")
"""What only a real run gives a value to."""


def dry_run(plan: Plan, runtime: Runtime, parameters: dict[str, Any]) -> Iterator[str]:
    """Lines that tell what each step would do."""
    run = _run(plan, runtime, parameters)
    chosen = runtime.selection.chosen(plan)
    yield f"{plan.name} in {plan.environment}: a dry run, nothing is started"
    yield from _remembered(run)
    for group, steps in plan.groups.items():
        for step in steps:
            if group != "steps" or step.id in chosen:
                yield from _step(group, step, run)


def _remembered(run: Run) -> Iterator[str]:
    """The time of the last success that a run would begin with; it is looked up here, and not moved on."""
    if run.plan.last_success is None:
        return
    try:
        run.last_success = start_before(run)
    except (TimesError, ExpressionError) as error:
        yield f"last_success.start: {UNKNOWN}: {error}"
    else:
        yield f"last_success.start: {as_text(run.last_success)}"


def _step(group: str, step: StepPlan, run: Run) -> Iterator[str]:
    for task in _tasks(step, run):
        yield ""
        yield _headline(group, task)
        yield from (f"  {line}" for line in _lines(task, run))


def _tasks(step: StepPlan, run: Run) -> list[StepTask]:
    """The elements where the run is not needed to know them; else the step once, for any of them."""
    if step.elements is None:
        return [whole(step)]
    try:
        return elements_of(step, step.elements, run)
    except ExpressionError:
        return [StepTask(step, f"{step.id}[…]", step.id)]


def _headline(group: str, task: StepTask) -> str:
    step = task.step
    after = f", after {', '.join(step.needs)}" if step.needs else ""
    condition = f", if {step.condition}" if step.condition else ""
    return f"{'' if group == 'steps' else f'{group}: '}{task.label} ({step.type}{after}{condition})"


def _lines(task: StepTask, run: Run) -> Iterator[str]:
    known = frozenset(task.names)
    step = replace(
        task.step,
        config=map_texts(task.step.config, lambda text: _named(text, known)),
        env=map_texts(task.step.env, lambda text: _named(text, known)),
    )
    task = replace(task, step=step)
    try:
        model = build_model(task, run)
        env = render(marked(step.env), run.scope(task.names))
    except (StepFailed, ExpressionError) as failure:
        yield f"cannot be shown before the run: {failure}"
        return
    for key, value in env.items():
        yield f"{key}={value}"
    for group in step.env_from:
        yield f"every key of the secret {group}"
    yield from (line for text in model.preview(step_run(task, run, 1, _Silence(), {})) for line in text.splitlines())


def _named(text: str, known: frozenset[str]) -> str:
    """The text with `<the expression>` for every expression that needs what only a real run knows."""
    pieces = split(text) if has_expression(text) else ()
    return join(tuple(_named_piece(piece, known) for piece in pieces)) if isinstance(pieces, tuple) and pieces else text


def _named_piece(piece: Piece, known: frozenset[str]) -> Piece:
    parsed = parse(piece.source) if isinstance(piece, Expression) else None
    if isinstance(parsed, Parsed) and any(path[0] in _RESULTS and path[0] not in known for path in parsed.references):
        return f"<{parsed.source.strip()}>"
    return piece


def _run(plan: Plan, runtime: Runtime, parameters: dict[str, Any]) -> Run:
    now = (runtime.clock() if runtime.clock else datetime.now(UTC)).astimezone(ZoneInfo(plan.timezone))
    return _Rehearsal(plan, runtime, Facts("dry-run", now, now), parameters)


class _Rehearsal(Run):
    """A run whose secrets are stars."""

    def scope(self, names: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return {**super().scope(names), "secrets": Placeholders("***")}


class _Silence:
    def info(self, message: str) -> None: ...
    def warning(self, message: str) -> None: ...
    def error(self, message: str) -> None: ...
