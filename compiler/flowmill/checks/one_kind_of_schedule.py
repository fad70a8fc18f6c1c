"""`cron` and `schedules` exclude each other, wherever each of them comes from."""

from collections.abc import Iterator

from flowmill.diagnostics import Finding, RelatedRoute
from flowmill.elaborating.bound_flow import BoundFlow

CODES = {"cron-and-schedules": "A flow has `cron` and `schedules`, so nobody can tell which of them was meant."}

_NOTHING = {"cron": "cron: null", "schedules": "schedules: []"}


def check(flow: BoundFlow) -> Iterator[Finding]:
    if flow.spec.cron is None or not flow.spec.schedules or {"cron", "schedules"} & flow.broken:
        return
    inherited = next((key for key in _NOTHING if key not in flow.context.own_keys), None)
    other = inherited or "cron"
    key = "schedules" if other == "cron" else "cron"
    hint = "keep one of them; `cron` is short for a list of one"
    if inherited:
        hint = f"`{other}` is inherited: write `{_NOTHING[other]}` beside `{key}` to take it away"
    related = (RelatedRoute((other,), f"`{other}` is here", at_key=True),)
    yield Finding(
        (key,), "cron-and-schedules", "a flow has `cron` or `schedules`, not both", hint, at_key=True, related=related
    )
