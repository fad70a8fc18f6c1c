"""A value of the run becomes a part of a program, so whoever chooses the value chooses what the program does.

With `[sh, -c, "grep ${{ parameters.name }} trips.csv"]` a name such as `x; rm -r /data` is a second command, and in
`psql -c "… where id = '${{ parameters.id }}'"` a quote ends the text. The same holds for what a step has printed, and
for elements that are computed. Numbers, times, states and parameters with `choices` cannot do that, nor can values
that are known before the run; they are left alone.

Pass the value beside the code: to a shell as `"$1"` behind the code, to Python as `sys.argv[1]`, to psql with
`-v id=…` and `:'id'`, or to any of them as a variable in `env`.
"""

import re
from collections.abc import Iterator

from flowmill.diagnostics import Finding, Part, Route, Severity
from flowmill.elaborating.bound_flow import BoundStep
from flowmill.elaborating.expression_findings import step_expressions
from flowmill.expressions.language import Path
from flowmill.lint.programs import argv_of, code_in
from flowmill.lint.subjects import LintedFlow
from flowmill.spec.lint import RuleOptions

SEVERITY = Severity.WARNING
SUMMARY = "A value of the run is put into the text of a program, where it can become code."

_NUMBER = re.compile(r"\|\s*(?:int|float)\s*$")
_HARMLESS_OUTPUTS = ("state", "exit_code")


def check(flow: LintedFlow, options: RuleOptions) -> Iterator[Finding]:
    for step in flow.bound.all_steps():
        code = code_in(argv_of(step))
        if code and "${{" in code:
            yield from _in_code(flow, step, code)


def _in_code(flow: LintedFlow, step: BoundStep, code: str) -> Iterator[Finding]:
    harmful = _harmful(flow, step, code)
    for place, piece, parsed in step_expressions(step.written, step.route):
        if place[2] not in ("command", "entrypoint") or _NUMBER.search(piece.source):
            continue
        for path in parsed.references:
            # What is behind a name has been put in, and stands in the code in its place.
            names = (path,) if piece.source in code else flow.bound.names_behind.of(path)
            if name := next((name for name in names if name in harmful), None):
                found = parsed.place(path)
                part = Part(piece.start + found.start, piece.start + found.end)
                yield _finding(step, place, part, name, path)


def _finding(step: BoundStep, place: Route, part: Part, name: Path, written: Path) -> Finding:
    through = "" if name is written else f": `{'.'.join(written)}` holds it"
    message = f"`{'.'.join(name)}` becomes a part of the code that `{step.id}` runs{through}"
    return Finding(place, "code-injection", message, "pass it as an argument behind the code, or in `env`", part=part)


def _harmful(flow: LintedFlow, step: BoundStep, code: str) -> frozenset[Path]:
    """The names in the code whose values can be code; what becomes a number cannot."""
    found = step_expressions({"command": code}, step.route)
    used = {path for _, piece, parsed in found if not _NUMBER.search(piece.source) for path in parsed.references}
    return frozenset(path for path in used if _can_be_code(flow, step, path))


def _can_be_code(flow: LintedFlow, step: BoundStep, path: Path) -> bool:
    if path[0] == "parameters":
        known = {it.name: it for it in flow.plan.parameters}
        parameter = known.get(path[1]) if len(path) > 1 else None
        return parameter is not None and parameter.type in ("string", "list") and not parameter.choices
    if path[0] in ("item", "matrix"):
        return isinstance(step.keys.foreach, str) or any(
            isinstance(it, str) for it in (step.keys.matrix or {}).values()
        )
    return path[0] == "steps" and path[-1] not in _HARMLESS_OUTPUTS
