"""Keys of steps that expressions use beside other names, as in `steps.load.image ~ run.id`.

An expression that is nothing but `steps.load.image` is replaced by the key, whatever that holds. A larger one is
evaluated, so it needs the key's value: one that is known now is kept for the run, and another is refused.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from flowmill.diagnostics import Finding, Part, Route
from flowmill.elaborating.expression_findings import step_expressions
from flowmill.elaborating.shapes import is_condition
from flowmill.expressions.language import ExpressionError, Parsed, Path, path_of
from flowmill.expressions.render import is_known, nested
from flowmill.expressions.template import Expression
from flowmill.spec.flow import GROUPS

Inline = Callable[[Path], Any]
"""The folded value of a key of a step; None for any other name."""
Found = tuple[Route, Expression, Parsed]


def keys_for_the_run(folded: Mapping[str, Any], inline: Inline) -> dict[str, dict[str, Any]]:
    """The known values that expressions of the run ask for, by step and key."""
    paths = {path for _, _, parsed in _expressions(folded) for path in parsed.references}
    values: dict[Path, Any] = {}
    for path in sorted(paths):
        try:
            value = inline(path)
        except ExpressionError:
            continue  # reported where the key is
        if value is not None and is_known(value):
            values[path] = value
    kept: dict[str, dict[str, Any]] = nested(values).get("steps", {})
    return kept


def keys_not_known(keys: Mapping[str, Any], inline: Inline) -> Iterator[Finding]:
    """Expressions that would have to calculate with a key whose value only the run knows."""
    for place, piece, parsed in _expressions(keys):
        if is_condition(place) or path_of(parsed.tree) is None:
            for path in parsed.references:
                if problem := _problem(path, inline, is_condition(place)):
                    found = parsed.place(path)
                    part = Part(piece.start + found.start, piece.start + found.end)
                    yield Finding(place, "bad-expression", *problem, part=part)


def _problem(path: Path, inline: Inline, in_condition: bool) -> tuple[str, str] | None:
    name = ".".join(path)
    try:
        if is_known(inline(path)):
            return None
    except ExpressionError as error:
        # Everything but a condition has been folded, and the same was said then.
        return (str(error), "") if in_condition else None
    where = "in a condition" if in_condition else "in a larger expression"
    hint = f"write here what `{path[2]}` of `{path[1]}` is made of"
    return f"`{name}` holds an expression that only the run knows, and cannot stand {where}", hint


def _expressions(keys: Mapping[str, Any]) -> Iterator[Found]:
    for group in GROUPS:
        steps = keys.get(group)
        for index, step in enumerate(steps if isinstance(steps, list) else []):
            if isinstance(step, dict):
                yield from step_expressions(step, (group, index))
