"""`last_success.start` is only used where the flow keeps it, and its default can be had before any step has run."""

from collections.abc import Iterator
from datetime import UTC

from flowmill.diagnostics import Finding, Part, Route
from flowmill.elaborating.bound_flow import BoundFlow
from flowmill.elaborating.expression_findings import LAID_ELSEWHERE, step_expressions
from flowmill.expressions.language import Parsed, Path
from flowmill.expressions.template import Expression
from flowmill.times.moments import EXAMPLES, moment
from flowmill_tasks.fields import Unrendered

CODES = {
    "bad-last-success": "The default of `last_success` uses what is not there yet when a run starts.",
    "no-last-success": "`last_success.start` is used by a flow that does not keep the time of its last success.",
}

_KEY = "last_success"
_REASONS = {
    "steps": "no step has run when it is needed",
    "secrets": "secrets belong to steps",
    _KEY: "it stands in for that very time",
}
"""The names that a default cannot use, and why."""


def check(flow: BoundFlow) -> Iterator[Finding]:
    kept = flow.written.get(_KEY) is not None
    for place, piece, parsed in _expressions(flow):
        for path in parsed.references:
            names = (path, *flow.names_behind.of(path)) if place[0] == _KEY else ()
            if name := next((name for name in names if name[0] in _REASONS), None):
                yield _not_there_yet(place, _part(piece, parsed, path), name, path)
            elif path[0] == _KEY and not kept:
                yield _not_kept(place, piece, parsed, path)
    yield from _constant(flow)


def _expressions(flow: BoundFlow) -> Iterator[tuple[Route, Expression, Parsed]]:
    for key, value in flow.written.items():
        if key not in LAID_ELSEWHERE:
            yield from step_expressions({key: value}, ())


def _not_there_yet(place: Route, part: Part, name: Path, written: Path) -> Finding:
    through = "" if name is written else f"; `{'.'.join(written)}` uses it"
    message = f"`{'.'.join(name)}` cannot be used in the default of `last_success`: {_REASONS[name[0]]}{through}"
    hint = "it may use `run`, `parameters`, `vars` and `environment`"
    return Finding(place, "bad-last-success", message, hint, part=part)


def _not_kept(place: Route, piece: Expression, parsed: Parsed, path: Path) -> Finding:
    message = f"`{'.'.join(path)}` is used, but this flow does not keep the time of its last success"
    hint = "add `last_success: {default: 1970-01-01}` to the flow"
    return Finding(place, "no-last-success", message, hint, part=_part(piece, parsed, path))


def _part(piece: Expression, parsed: Parsed, path: Path) -> Part:
    found = parsed.place(path[:1])
    return Part(piece.start + found.start, piece.start + found.end)


def _constant(flow: BoundFlow) -> Iterator[Finding]:
    """A default that is known now has to be a time; one that only a run knows is looked at when it starts."""
    spec = flow.spec.last_success
    if spec is not None and not isinstance(spec.default, Unrendered) and moment(spec.default, UTC) is None:
        message = "expected a date or a time, or an expression that gives one"
        yield Finding((_KEY, "default"), "bad-value", message, f"such as {EXAMPLES}")
