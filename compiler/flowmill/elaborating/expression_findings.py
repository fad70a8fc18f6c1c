"""Every expression of a flow, checked: its syntax, and the names in it, down to the attribute."""

from collections.abc import Iterator, Mapping
from typing import Any

from flowmill.diagnostics import Finding, Part, Route, RouteEdit
from flowmill.elaborating.shapes import group_shape, is_condition, key_of_flow_shape, key_shape
from flowmill.expressions.language import Parsed, parse
from flowmill.expressions.names import Shape, problems
from flowmill.expressions.problem import Problem
from flowmill.expressions.template import Expression, Piece, Unclosed, has_expression, split
from flowmill.spec.flow import GROUPS
from flowmill_tasks.registry import Registry

LAID_ELSEWHERE = ("defaults", "environment")
"""Keys whose values lie under the steps, or over the flow, as well: there they are checked, and in their place."""


def expression_findings(raw: Mapping[str, Any], registry: Registry) -> Iterator[Finding]:
    """What is wrong with the expressions of a flow, given as its plain values."""
    for key, value in raw.items():
        if key in LAID_ELSEWHERE:
            continue
        if key in GROUPS:
            yield from _in_steps(value, key, group_shape(raw, registry, key))
        else:
            yield from _walk(value, (key,), key_of_flow_shape(raw, key))


def _in_steps(steps: Any, group: str, names: Mapping[str, Shape]) -> Iterator[Finding]:
    for index, step in enumerate(steps if isinstance(steps, list) else []):
        for key, value in step.items() if isinstance(step, dict) else ():
            yield from _walk(value, (group, index, key), key_shape(names, step, key))


def texts(value: Any, route: Route) -> Iterator[tuple[Route, str]]:
    """Every text inside nested maps and lists, with its route."""
    if isinstance(value, str):
        yield route, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from texts(item, (*route, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from texts(item, (*route, index))


def step_expressions(written: Mapping[str, Any], route: Route) -> Iterator[tuple[Route, Expression, Parsed]]:
    """The well-formed expressions of a step, with the route of the text that each stands in."""
    for place, text in texts(written, route):
        for piece in pieces_of(text, place):
            parsed = parse(piece.source) if isinstance(piece, Expression) else None
            if isinstance(piece, Expression) and isinstance(parsed, Parsed):
                yield place, piece, parsed


def pieces_of(text: str, route: Route) -> tuple[Piece, ...]:
    """The pieces of a text; all of an `if` is one expression, and of what is malformed there are none."""
    if not has_expression(text):
        return (Expression(text, 0),) if is_condition(route) else ()
    pieces = split(text)
    return () if isinstance(pieces, Unclosed) else pieces


def _walk(value: Any, route: Route, shape: Mapping[str, Shape]) -> Iterator[Finding]:
    for place, text in texts(value, route):
        if has_expression(text) or is_condition(place):
            yield from _in_text(text, place, shape)


def _in_text(text: str, route: Route, shape: Mapping[str, Shape]) -> Iterator[Finding]:
    unclosed = split(text) if has_expression(text) else ()
    if isinstance(unclosed, Unclosed):
        hint = "close it with `}}`, or write `$${{` for the characters themselves"
        yield Finding(route, "bad-expression", "this `${{` is never closed", hint, part=unclosed.part)
        return
    for piece in pieces_of(text, route):
        if isinstance(piece, Expression):
            parsed = parse(piece.source)
            found = problems(parsed, shape) if isinstance(parsed, Parsed) else iter(parsed)
            yield from (_finding(route, piece, problem) for problem in found)


def _finding(route: Route, expression: Expression, problem: Problem) -> Finding:
    part = Part(expression.start + problem.part.start, expression.start + problem.part.end)
    is_word = problem.part.end - problem.part.start < len(expression.source)
    fix = (RouteEdit(route, problem.instead, part=part),) if problem.instead and is_word else ()
    return Finding(route, problem.code, problem.message, problem.hint, part=part, fix=fix)
