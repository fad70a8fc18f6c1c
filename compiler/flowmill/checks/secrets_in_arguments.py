"""A secret does not become an argument of a program, where `ps` and `docker inspect` show it to everybody."""

from collections.abc import Iterator

from flowmill.diagnostics import Finding
from flowmill.elaborating.bound_flow import BoundFlow, BoundStep
from flowmill.secrets.led_to import secrets_led_to

CODES = {"secret-in-argument": "A secret as an argument of a program is shown to everybody on the machine by `ps`."}

_ELEMENTS = frozenset({"foreach", "matrix"})
"""Each element becomes part of a task run's name, and mostly of a command."""


def check(flow: BoundFlow) -> Iterator[Finding]:
    for step in flow.all_steps():
        yield from _of_step(flow, step)


def _of_step(flow: BoundFlow, step: BoundStep) -> Iterator[Finding]:
    shown = (step.model.argument_fields if step.model else frozenset()) | _ELEMENTS
    written = {key: value for key, value in step.written.items() if key in shown}
    for it in secrets_led_to(flow, written, step.route):
        message = it.told(f"`{it.secret}` would be visible to everybody as an argument of `{step.id}`")
        hint = "put it into `env` and let the program read it there"
        yield Finding(it.place, "secret-in-argument", message, hint, part=it.part)
