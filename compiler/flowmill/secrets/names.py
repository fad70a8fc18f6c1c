"""Which secrets a plan may ask for, and where in it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from flowmill.elaborating.expression_findings import texts
from flowmill.expressions.language import Parsed, parse
from flowmill.expressions.template import Expression, has_expression, split
from flowmill.planning.plan import Plan, StepPlan

_ALONE = re.compile(r"""\$\{\{\s*secrets(\.\w+|\[(['"])[^'"]*\2\])+\s*\}\}""")
"""A text that is one secret, or a key of one, and nothing else."""


@dataclass(frozen=True)
class Use:
    """One place that asks for a secret.

    Attributes:
        name: the secret's name; None where it is only known in the run.
        way: the keys that lead to a value inside the secret; empty for the whole of it.
        step: the id of the step that asks; empty for a key of the flow itself.
        as_variables: whether every key at the end of the way becomes a variable, as `env_from` has it.
        whole_of: the step's type and its key, where the secret is all that the key holds.
    """

    name: str | None
    way: tuple[str, ...]
    step: str
    as_variables: bool = False
    whole_of: tuple[str, str] | None = None


def secret_names(plan: Plan) -> frozenset[str] | None:
    """The names; None where one is only known in the run, so that any may be asked for."""
    names = {use.name for use in secret_uses(plan)}
    return None if None in names else frozenset(name for name in names if name is not None)


def secret_uses(plan: Plan) -> Iterator[Use]:
    """Every use of a secret, in the order of the plan; one that is written twice comes twice."""
    for value in (plan.run_name, plan.last_success):
        yield from _in_value(value, "")
    for group in plan.groups.values():
        for step in group:
            yield from _of_step(step)


def _of_step(step: StepPlan) -> Iterator[Use]:
    for group in step.env_from:
        name, *way = group.split(".")
        yield Use(name, tuple(way), step.id, as_variables=True)
    lists = [step.elements.foreach, step.elements.matrix] if step.elements else []
    yield from _in_value([step.name, step.env, *lists], step.id)
    for key, value in step.config.items():
        found = list(_in_value(value, step.id))
        alone = len(found) == 1 and isinstance(value, str) and _ALONE.fullmatch(value)
        yield from (replace(use, whole_of=(step.type, key)) for use in found) if alone else found
    if step.condition is not None:
        yield from _in_expression(step.condition, step.id)


def _in_value(value: Any, step: str) -> Iterator[Use]:
    for _, text in texts(value, ()):
        pieces = split(text) if has_expression(text) else ()
        # A plan has no expression that is not closed.
        for piece in pieces if isinstance(pieces, tuple) else ():
            if isinstance(piece, Expression):
                yield from _in_expression(piece.source, step)


def _in_expression(source: str, step: str) -> Iterator[Use]:
    parsed = parse(source)
    for path in parsed.references if isinstance(parsed, Parsed) else ():
        if path[0] == "secrets":
            yield Use(path[1] if len(path) > 1 else None, path[2:], step)
