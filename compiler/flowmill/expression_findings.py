"""Every expression of a flow, checked: its syntax, and the names in it, down to the attribute."""

from collections.abc import Iterator, Mapping
from typing import Any

from flowmill.diagnostics import Finding, Part, Route
from flowmill.expressions.language import Parsed, Problem, parse
from flowmill.expressions.names import Shape, problems
from flowmill.expressions.template import Expression, Unclosed, has_expression, split
from flowmill.shapes import flow_shape, handler_shape, step_shape
from flowmill.spec import HANDLERS
from flowmill_tasks.registry import Registry


def expression_findings(raw: Mapping[str, Any], registry: Registry) -> Iterator[Finding]:
    """What is wrong with the expressions of a flow, given as its plain values."""
    for key, value in raw.items():
        if key == "defaults":
            continue  # laid under the steps, where they are checked in place
        yield from _walk(value, (key,), _shape_for(key, raw, registry))


def _shape_for(key: str, raw: Mapping[str, Any], registry: Registry) -> Mapping[str, Shape]:
    if key == "steps":
        return step_shape(raw, registry)
    return handler_shape(raw, registry, key) if key in HANDLERS else flow_shape(raw)


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


def expressions(text: str) -> Iterator[tuple[Expression, Parsed]]:
    """The well-formed expressions of a text."""
    pieces = split(text) if has_expression(text) else ()
    for piece in pieces if isinstance(pieces, tuple) else ():
        parsed = parse(piece.source) if isinstance(piece, Expression) else None
        if isinstance(parsed, Parsed) and isinstance(piece, Expression):
            yield piece, parsed


def _walk(value: Any, route: Route, shape: Mapping[str, Shape]) -> Iterator[Finding]:
    for place, text in texts(value, route):
        if has_expression(text):
            yield from _in_text(text, place, shape)


def _in_text(text: str, route: Route, shape: Mapping[str, Shape]) -> Iterator[Finding]:
    pieces = split(text)
    if isinstance(pieces, Unclosed):
        hint = "close it with `}}`, or write `$${{` for the characters themselves"
        yield Finding(route, "bad-expression", "this `${{` is never closed", hint, part=pieces.part)
        return
    for piece in pieces:
        if isinstance(piece, Expression):
            parsed = parse(piece.source)
            found = problems(parsed, shape) if isinstance(parsed, Parsed) else iter(parsed)
            yield from (_finding(route, piece, problem) for problem in found)


def _finding(route: Route, expression: Expression, problem: Problem) -> Finding:
    part = Part(expression.start + problem.part.start, expression.start + problem.part.end)
    return Finding(route, problem.code, problem.message, problem.hint, part=part)
