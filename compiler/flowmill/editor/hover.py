"""Hovering: what a key is for, what it comes to and where that was set; when a schedule fires; what a name is."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from flowmill.cron import Cron, parse
from flowmill.diagnostics import Route, Span
from flowmill.editor import names, schemas
from flowmill.editor.places import Place, place_at
from flowmill.editor.snapshot import Snapshot, kind_of
from flowmill.explain import Fact, facts
from flowmill.fire_times import fire_times
from flowmill.report.explanation import shown
from flowmill.spec import GROUPS

FIRE_TIMES = 5
_TIME = "%a %Y-%m-%d %H:%M"


def hover(snapshot: Snapshot, path: Path, line: int, column: int, now: datetime) -> tuple[str, Span] | None:
    """Markdown about what stands at a line and a column, and where that stands; None where nothing can be said."""
    tree = snapshot.trees.get(path)
    place = place_at(tree, line, column) if tree else None
    if place is None:
        return None
    parts = _about_name(snapshot, path, place) if place.name else _about_key(snapshot, path, place, now)
    text = "\n\n".join(part for part in parts if part)
    return (text, place.span) if text else None


def _about_key(snapshot: Snapshot, path: Path, place: Place, now: datetime) -> Iterator[str]:
    kind = kind_of(path)
    named = [step for step in place.route if isinstance(step, str)]
    meaning = schemas.described_at(kind, place.route, _types(snapshot, path)) if place.on_key else ""
    yield f"**{named[-1]}**: {meaning}" if meaning and named else ""
    if kind == "flow":
        yield "\n".join(_next_runs(snapshot, path, place.route, now))
        yield "\n".join(_values(snapshot, path, place.route))


def _types(snapshot: Snapshot, path: Path) -> dict[Route, str]:
    keys = names.raw(snapshot, path)
    found: dict[Route, str] = {}
    for group in GROUPS:
        for index, step in enumerate(keys.get(group) or []):
            if isinstance(step, dict):
                found[(group, index)] = str(step.get("type", ""))
    return found


def _next_runs(snapshot: Snapshot, path: Path, route: Route, now: datetime) -> Iterator[str]:
    """The next fire times of the expression that a route leads to, in its zone and in UTC."""
    if route[-1:] != ("cron",):
        return
    flow = snapshot.flows[path]
    text = names.raw(snapshot, path)
    for step in route:
        text = text[step]  # type: ignore[index] # the route exists in the tree that the place was found in
    cron = parse(str(text))
    if not isinstance(cron, Cron):
        return
    zone = _zone(snapshot, f"{flow.project}.{flow.name}", route)
    yield f"next runs ({zone}):"
    yield ""
    for moment in fire_times(cron, zone, now, FIRE_TIMES):
        utc = "" if zone == "UTC" else f" · {moment.astimezone(UTC).strftime('%H:%M')} UTC"
        yield f"- {moment.astimezone(ZoneInfo(zone)).strftime(_TIME)}{utc}"


def _zone(snapshot: Snapshot, name: str, route: Route) -> str:
    """The zone of a schedule, as the plan has it in the first environment that can be used."""
    plans = [flow.plan for (flow_name, _), flow in snapshot.compiled.usable.items() if flow_name == name]
    schedules = plans[0].schedules if plans else ()
    index = route[1] if len(route) > 1 and isinstance(route[1], int) else 0
    return schedules[index].timezone if index < len(schedules) else "UTC"


def _values(snapshot: Snapshot, path: Path, route: Route) -> Iterator[str]:
    """What a key comes to in each environment, and the places that set it."""
    told: dict[str, list[str]] = {}
    for environment, fact in _facts(snapshot, path, route):
        origins = ", ".join(f"{it.layer.name}, {it.span.path}:{it.span.line}" for it in fact.settings[:1])
        over = "".join(f"; over {it.layer.name}, {it.span.path}:{it.span.line}" for it in fact.settings[1:])
        told.setdefault(f"`{shown(fact)}`, set by {origins or 'nobody: the default'}{over}", []).append(environment)
    for text, environments in told.items():
        yield f"- {', '.join(environments)}: {text}"


def _facts(snapshot: Snapshot, path: Path, route: Route) -> Iterator[tuple[str, Fact]]:
    flow = snapshot.flows[path]
    name = f"{flow.project}.{flow.name}"
    place = route[2:] if route[:1] == ("environment",) and len(route) > 2 else route
    for flow_name, environment in snapshot.compiled.usable:
        if flow_name == name and path in {it.path.absolute() for it in snapshot.files.flows}:
            for fact in facts(flow, snapshot.files, snapshot.registry, environment):
                if fact.route == place[: len(fact.route)]:
                    yield environment, fact


def _about_name(snapshot: Snapshot, path: Path, place: Place) -> Iterator[str]:
    """What the name in an expression is."""
    name = place.name
    yield f"`{'.'.join(name)}`"
    keys = names.raw(snapshot, path)
    if name[0] == "steps" and len(name) == 2:
        step = next((it for it in keys.get("steps") or [] if isinstance(it, dict) and it.get("id") == name[1]), None)
        yield f"the step `{name[1]}`, of type {step.get('type')}" if step else ""
    elif name[0] == "steps" and len(name) == 3:
        yield _result(snapshot, keys, name)
    elif name[0] == "parameters" and len(name) == 2:
        parameter = (keys.get("parameters") or {}).get(name[1])
        known = parameter.items() if isinstance(parameter, dict) else ()
        yield "a parameter of the run" + "".join(f"; {key}: {value}" for key, value in known)
    else:
        yield _MEANINGS.get(".".join(name), _MEANINGS.get(name[0], ""))


def _result(snapshot: Snapshot, keys: object, name: tuple[str, ...]) -> str:
    steps = keys.get("steps") if isinstance(keys, dict) else None
    step = next((it for it in steps or [] if isinstance(it, dict) and it.get("id") == name[1]), {})
    step_type = snapshot.registry.get(str(step.get("type")))
    field = step_type.output.model_fields.get(name[2]) if step_type else None
    if field is not None and field.description:
        return str(field.description)
    return {"state": "how the step ended", "attempts": "how often it was tried", "message": "of its state"}.get(
        name[2], ""
    )


_MEANINGS = {
    "environment": "the environment that the flow runs in",
    "project": "the project of the flow",
    "flow": "the flow: `name`, `description`, `owner`",
    "server": "the server that the flow runs on",
    "vars": "the flow's named values, known before the run",
    "run": "the run: `start`, `scheduled`, `id`, `url`",
    "run.start": "when the run began, the same for all steps and retries",
    "run.scheduled": "when the run was due; its start where nobody had scheduled it",
    "run.id": "the id of the run in Prefect",
    "run.url": "the page of the run in Prefect",
    "last_success": "the last run in which every step succeeded: `start`",
    "last_success.start": "the start of the last run in which every step succeeded",
    "secrets": "secrets by name, known in the run only; never shown",
    "item": "the element of `foreach` that the step runs for",
    "matrix": "the combination that the step runs for, by name",
    "failure": "the failure of the run: `step`, `message`, `exit_code`, `output`",
    "retry": "the failure that is about to be tried again: `step`, `attempt`, `message`",
}
