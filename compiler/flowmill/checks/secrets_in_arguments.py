"""A secret does not become an argument of a program, where `ps` and `docker inspect` show it to everybody."""

from collections.abc import Iterator

from flowmill.diagnostics import Finding, Part
from flowmill.expression_findings import expressions, texts
from flowmill.flow import BoundFlow, BoundStep

CODES = {"secret-in-argument": "A secret as an argument of a program is shown to everybody on the machine by `ps`."}


def check(flow: BoundFlow) -> Iterator[Finding]:
    for step in flow.all_steps():
        written = step.written
        for key in step.model.argument_fields if step.model else ():
            if key in written:
                yield from _in_value(written[key], (*step.route, key), step)


def _in_value(value: object, route: tuple[str | int, ...], step: BoundStep) -> Iterator[Finding]:
    for place, text in texts(value, route):
        for piece, parsed in expressions(text):
            for path in parsed.references:
                if path[0] == "secrets":
                    found = parsed.place(path)
                    part = Part(piece.start + found.start, piece.start + found.end)
                    message = f"`{'.'.join(path)}` would be visible to everybody as an argument of `{step.id}`"
                    hint = "put it into `env` and let the program read it there"
                    yield Finding(place, "secret-in-argument", message, hint, part=part)
