"""What a run would do, step by step: every command with its values, `***` for secrets; nothing is started."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flowmill.expressions.language import ExpressionError, Parsed, parse
from flowmill.expressions.placeholder import Placeholders
from flowmill.expressions.render import map_texts, render
from flowmill.expressions.template import Expression, Piece, has_expression, join, split
from flowmill.plan import Plan, StepPlan
from flowmill.running.attempt import build_model, marked, step_run
from flowmill.running.run import Facts, Run
from flowmill.running.runtime import Runtime
from flowmill_tasks.base import StepFailed

_RESULTS = ("steps", "failure")
"""What only a real run gives a value to."""


def dry_run(plan: Plan, runtime: Runtime, parameters: dict[str, Any]) -> Iterator[str]:
    """Lines that tell what each step would do."""
    run = _run(plan, runtime, parameters)
    chosen = runtime.selection.chosen(plan)
    yield f"{plan.name} in {plan.environment}: a dry run, nothing is started"
    for group, steps in _groups(plan):
        for step in steps:
            if group or step.id in chosen:
                yield ""
                yield _headline(group, step)
                yield from (f"  {line}" for line in _lines(step, run))


def _groups(plan: Plan) -> tuple[tuple[str, tuple[StepPlan, ...]], ...]:
    handlers = (("on_failure", plan.on_failure), ("on_success", plan.on_success), ("finally", plan.finally_))
    return (("", plan.steps), *handlers)


def _headline(group: str, step: StepPlan) -> str:
    after = f", after {', '.join(step.needs)}" if step.needs else ""
    return f"{f'{group}: ' if group else ''}{step.id} ({step.type}{after})"


def _lines(step: StepPlan, run: Run) -> Iterator[str]:
    step = replace(step, config=map_texts(step.config, _named), env=map_texts(step.env, _named))
    try:
        model = build_model(step, run)
        env = render(marked(step.env), run.scope())
    except (StepFailed, ExpressionError) as failure:
        yield f"cannot be shown before the run: {failure}"
        return
    for key, value in env.items():
        yield f"{key}={value}"
    for group in step.env_from:
        yield f"every key of the secret {group}"
    yield from (line for text in model.preview(step_run(step, run, 1, _Silence(), {})) for line in text.splitlines())


def _named(text: str) -> str:
    """The text with `<the expression>` for every expression that needs the result of a step."""
    pieces = split(text) if has_expression(text) else ()
    return join(tuple(map(_named_piece, pieces))) if pieces and isinstance(pieces, tuple) else text


def _named_piece(piece: Piece) -> Piece:
    parsed = parse(piece.source) if isinstance(piece, Expression) else None
    if isinstance(parsed, Parsed) and any(path[0] in _RESULTS for path in parsed.references):
        return f"<{parsed.source.strip()}>"
    return piece


def _run(plan: Plan, runtime: Runtime, parameters: dict[str, Any]) -> Run:
    now = (runtime.clock() if runtime.clock else datetime.now(UTC)).astimezone(ZoneInfo(plan.timezone))
    return _Rehearsal(plan, runtime, Facts("dry-run", now, now), parameters)


class _Rehearsal(Run):
    """A run whose secrets are stars."""

    def scope(self) -> dict[str, Any]:
        return {**super().scope(), "secrets": Placeholders("***")}


class _Silence:
    def info(self, message: str) -> None: ...
    def warning(self, message: str) -> None: ...
    def error(self, message: str) -> None: ...
