"""Hovering: what a key is for, what it comes to and where that was set; when a schedule fires; what a name is."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from flowmill.diagnostics import Route, Span
from flowmill.editor import names, schemas
from flowmill.editor.places import Place, place_at
from flowmill.editor.snapshot import Snapshot, kind_of
from flowmill.elaborating.shapes import MEANINGS, STEP_MEANINGS
from flowmill.explain import Fact, facts
from flowmill.report.explanation import shown
from flowmill.times.cron import Cron, parse
from flowmill.times.fire_times import fire_times

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
    return {place: str(step.get("type", "")) for place, step in names.all_steps(names.raw(snapshot, path))}


def _next_runs(snapshot: Snapshot, path: Path, route: Route, now: datetime) -> Iterator[str]:
    """The next fire times of the expression that a route leads to, in its zone and in UTC."""
    if route[-1:] != ("cron",):
        return
    cron = parse(str(getattr(snapshot.trees[path].at(route), "value", "")))
    if not isinstance(cron, Cron):
        return
    zone = _zone(snapshot, snapshot.flows[path].full_name, route)
    yield f"next runs ({zone}):"
    yield ""
    for moment in fire_times(cron, zone, now, FIRE_TIMES):
        utc = "" if zone == "UTC" else f" · {moment.astimezone(UTC).strftime('%H:%M')} UTC"
        yield f"- {moment.astimezone(ZoneInfo(zone)).strftime(_TIME)}{utc}"


def _zone(snapshot: Snapshot, name: str, route: Route) -> str:
    """The zone of a schedule: that of the environment whose override it stands in, or else of the first."""
    of_environment = route[1] if route[0] == "environment" and len(route) > 2 else None
    plans = [
        flow.plan
        for (flow_name, environment), flow in snapshot.compiled.usable.items()
        if flow_name == name and of_environment in (None, environment)
    ]
    schedules = plans[0].schedules if plans else ()
    index = route[-2] if len(route) > 1 and isinstance(route[-2], int) else 0
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
    name = flow.full_name
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
    step = names.step_called(keys, name[1]) if name[0] == "steps" and len(name) > 1 else None
    if step is not None and len(name) == 2:
        yield f"the step `{name[1]}`, of type {step.get('type')}"
    elif step is not None:
        yield _result(snapshot, str(step.get("type")), name[2])
    elif name[0] == "parameters" and len(name) == 2:
        parameter = (keys.get("parameters") or {}).get(name[1])
        known = parameter.items() if isinstance(parameter, dict) else ()
        yield "a parameter of the run" + "".join(f"; {key}: {value}" for key, value in known)
    else:
        yield MEANINGS.get(".".join(name), MEANINGS.get(name[0], ""))


def _result(snapshot: Snapshot, step_type: str, output: str) -> str:
    """What a step of a type gives under this name."""
    known = snapshot.registry.get(step_type)
    field = known.output.model_fields.get(output) if known else None
    return str(field.description or "") if field else STEP_MEANINGS.get(output, "")
