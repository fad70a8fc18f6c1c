"""Every `cron` is in the subset that every scheduler reads alike."""

from collections.abc import Iterator

from flowmill.diagnostics import Finding, RouteEdit
from flowmill.elaborating.bound_flow import BoundFlow
from flowmill.times.cron import Cron, parse

CODES = {
    "bad-cron": "The cron expression is malformed, never fires, or means different things to different schedulers. "
    "docs/cron.md describes the accepted subset."
}


def check(flow: BoundFlow) -> Iterator[Finding]:
    for route, text in flow.crons:
        parsed = parse(text)
        for problem in [] if isinstance(parsed, Cron) else parsed:
            fix = (RouteEdit(route, problem.instead, part=problem.part),) if problem.instead else ()
            yield Finding(route, "bad-cron", problem.message, problem.hint, part=problem.part, fix=fix)
