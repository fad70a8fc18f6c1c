"""No two schedules of a flow share an id, or say the same."""

from collections.abc import Iterator

from flowmill.diagnostics import Finding, RelatedRoute, Route
from flowmill.elaborating.bound_flow import BoundFlow
from flowmill.planning.from_flow import schedule_id
from flowmill.spec.flow import Schedule
from flowmill.times.cron import Cron, parse

CODES = {
    "duplicate-schedule": "Two schedules of one flow have the same `id`, or the same times, zone and parameters, "
    "and every run would happen twice."
}


def check(flow: BoundFlow) -> Iterator[Finding]:
    ids: dict[str, int] = {}
    contents: dict[str, int] = {}
    for index, schedule in enumerate(flow.spec.schedules):
        name = schedule_id(schedule, index)
        if (first := ids.setdefault(name, index)) != index:
            message, hint = f"two schedules have the id `{name}`", "give each schedule an id of its own"
            yield _finding((*_route(index), "id"), message, hint, first)
        elif (first := contents.setdefault(_content(schedule, flow), index)) != index:
            message = "two schedules have the same times, zone and parameters"
            yield _finding((*_route(index), "cron"), message, "remove one, or let their `parameters` differ", first)


def _route(index: int) -> Route:
    return ("schedules", index)


def _content(schedule: Schedule, flow: BoundFlow) -> str:
    """What tells a schedule from others: `@daily` and `0 0 * * *` are the same, and so is a default written out."""
    parsed = parse(schedule.cron)
    cron = parsed.explicit if isinstance(parsed, Cron) else schedule.cron
    parameters = {name: parameter.default for name, parameter in flow.spec.parameters.items()} | schedule.parameters
    return repr((cron, schedule.timezone or flow.spec.timezone, sorted(parameters.items(), key=lambda pair: pair[0])))


def _finding(route: Route, message: str, hint: str, first: int) -> Finding:
    related = (RelatedRoute((*_route(first), str(route[-1])), "the other one is here"),)
    return Finding(route, "duplicate-schedule", message, hint, related=related)
