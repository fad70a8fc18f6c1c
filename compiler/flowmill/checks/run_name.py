"""The name of a run holds no secret: everybody who may look at the server sees it."""

from collections.abc import Iterator

from flowmill.diagnostics import Finding
from flowmill.elaborating.bound_flow import BoundFlow
from flowmill.secrets.led_to import secrets_led_to

CODES = {"secret-in-run-name": "A secret in the name of a run is shown to everybody who sees the list of runs."}


def check(flow: BoundFlow) -> Iterator[Finding]:
    named = {key: value for key, value in flow.written.items() if key == "run_name"}
    for it in secrets_led_to(flow, named, ()):
        message = it.told(f"`{it.secret}` would be shown to everybody in the name of the run")
        yield Finding(it.place, "secret-in-run-name", message, "name what is no secret", part=it.part)
