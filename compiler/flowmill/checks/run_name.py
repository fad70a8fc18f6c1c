"""The name of a run holds no secret: everybody who may look at the server sees it."""

from collections.abc import Iterator

from flowmill.diagnostics import Finding, Part
from flowmill.elaborating.bound_flow import BoundFlow
from flowmill.elaborating.expression_findings import step_expressions

CODES = {"secret-in-run-name": "A secret in the name of a run is shown to everybody who sees the list of runs."}


def check(flow: BoundFlow) -> Iterator[Finding]:
    named = {key: value for key, value in flow.written.items() if key == "run_name"}
    for route, piece, parsed in step_expressions(named, ()):
        for path in parsed.references:
            if path[0] == "secrets":
                place = parsed.place(path)
                part = Part(piece.start + place.start, piece.start + place.end)
                message = f"`{'.'.join(path)}` would be shown to everybody in the name of the run"
                yield Finding(route, "secret-in-run-name", message, "name what is no secret", part=part)
