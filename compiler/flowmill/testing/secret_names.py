"""Which secrets a plan may ask for."""

from collections.abc import Iterator
from typing import Any

from flowmill.expression_findings import texts
from flowmill.expressions.language import Parsed, parse
from flowmill.expressions.template import Expression, has_expression, split
from flowmill.plan import Plan, StepPlan


def secret_names(plan: Plan) -> frozenset[str] | None:
    """The names; None where one is only known in the run, so that any may be asked for."""
    found = {group.partition(".")[0] for step in _steps(plan) for group in step.env_from}
    for parsed in _expressions(plan):
        for path in parsed.references:
            if path == ("secrets",):
                return None
            found |= {path[1]} if path[0] == "secrets" else set()
    return frozenset(found)


def _steps(plan: Plan) -> Iterator[StepPlan]:
    for group in plan.groups.values():
        yield from group


def _expressions(plan: Plan) -> Iterator[Parsed]:
    for source in _sources(plan):
        parsed = parse(source)
        if isinstance(parsed, Parsed):
            yield parsed


def _sources(plan: Plan) -> Iterator[str]:
    for value in (plan.run_name, plan.last_success, *map(_values, _steps(plan))):
        for _, text in texts(value, ()):
            pieces = split(text) if has_expression(text) else ()
            # A plan has no expression that is not closed.
            yield from (it.source for it in pieces if isinstance(it, Expression)) if isinstance(pieces, tuple) else ()
    yield from (step.condition for step in _steps(plan) if step.condition is not None)


def _values(step: StepPlan) -> list[Any]:
    lists = [step.elements.foreach, step.elements.matrix] if step.elements else []
    return [step.name, step.config, step.env, *lists]
