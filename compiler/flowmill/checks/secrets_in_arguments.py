"""A secret does not become an argument of a program, where `ps` and `docker inspect` show it to everybody."""

from collections.abc import Iterator

from flowmill.diagnostics import Finding, Part, Route
from flowmill.elaborating.bound_flow import BoundFlow, BoundStep
from flowmill.elaborating.expression_findings import step_expressions
from flowmill.expressions.language import Parsed
from flowmill.expressions.template import Expression

CODES = {"secret-in-argument": "A secret as an argument of a program is shown to everybody on the machine by `ps`."}

_ELEMENTS = frozenset({"foreach", "matrix"})
"""Each element becomes part of a task run's name, and mostly of a command."""


def check(flow: BoundFlow) -> Iterator[Finding]:
    for step in flow.all_steps():
        shown = (step.model.argument_fields if step.model else frozenset()) | _ELEMENTS
        for place, piece, parsed in step_expressions(step.written, step.route):
            if place[2] in shown:
                yield from _in_expression(place, piece, parsed, step)


def _in_expression(place: Route, piece: Expression, parsed: Parsed, step: BoundStep) -> Iterator[Finding]:
    for path in parsed.references:
        if path[0] == "secrets":
            found = parsed.place(path)
            part = Part(piece.start + found.start, piece.start + found.end)
            message = f"`{'.'.join(path)}` would be visible to everybody as an argument of `{step.id}`"
            hint = "put it into `env` and let the program read it there"
            yield Finding(place, "secret-in-argument", message, hint, part=part)
