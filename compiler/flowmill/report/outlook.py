"""What registering would do, or has done, as text and as data."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from flowmill.differences import ABSENT
from flowmill.registering.changes import Change, FieldChange
from flowmill.registering.schedule_effect import Effect, effect_of
from flowmill.registering.view import view_of
from flowmill.report.explanation import cut, text_of
from flowmill.report.style import Style, printable

if TYPE_CHECKING:
    from flowmill.backend.register import Outlook

VALUE_AT_MOST = 60
_MARKS = {"create": "+", "move": ">", "update": "~", "delete": "-", "protected": "!", "unchanged": "="}
_COLOURS = {"create": "green", "move": "yellow", "update": "yellow", "delete": "red", "protected": "yellow"}
_ORIGINS = {"server": "changed on the server", "both": "changed in the spec and on the server", "spec": ""}
_RECORDED = ("entrypoint", "code.protect")
"""What says nothing to a reader besides that something else has changed."""


def as_text(outlook: "Outlook", style: Style) -> str:
    """Every deployment that does not stay as it is, what stands in the way, and the counts."""
    manifest = outlook.manifest
    release = f" (Prefect {printable(outlook.version)})" if outlook.version else ""
    head = f"{manifest.environment} on {outlook.server}{release}, manifest {manifest.digest}"
    changes = [it for it in outlook.changes.items if it.action != "unchanged" or it.kept]
    blocks = [line for change in changes for line in _block(change, outlook, style)]
    return "\n".join([style.paint(head, "bold"), *blocks, *_obstacles(outlook, style), summary(outlook, style)]) + "\n"


def _block(change: Change, outlook: "Outlook", style: Style) -> Iterator[str]:
    mark = style.paint(f"{_MARKS[change.action]} {change.flow}", _COLOURS.get(change.action, "bold"))
    yield f"  {mark}  {_in_words(change, outlook)}"
    rows = [*map(_row, _told(change)), *_effect_rows(change, outlook.now)]
    width = max((len(key) for key, _ in rows), default=0)
    yield from (f"      {key:<{width}}  {text}" for key, text in rows)
    for kept in change.kept:
        whose = f"schedule `{kept.schedule}`" if kept.schedule else "the deployment"
        turned = "on" if kept.is_on else "off"
        yield style.paint(f"      {whose} was switched {turned} on the server and stays {turned}", "yellow")


def _in_words(change: Change, outlook: "Outlook") -> str:
    if change.action == "delete":
        return "delete" if outlook.prune else "is declared no more; `--prune` deletes it"
    if change.action == "protected":
        return "is declared no more, and protected: it stays"
    if change.action == "move" and change.former:
        return f"move from {change.former.flow}; its earlier runs stay under that name"
    if change.action == "update" and not change.fields:
        return "update: only its version"
    return change.action


def _told(change: Change) -> Iterator[FieldChange]:
    return (it for it in change.fields if it.path not in _RECORDED or len(change.fields) == 1)


def _row(it: FieldChange) -> tuple[str, str]:
    origin = f"  ({_ORIGINS[it.origin]})" if _ORIGINS[it.origin] else ""
    return printable(it.path), f"{_value(it.before)} -> {_value(it.after)}{origin}"


def _value(value: Any) -> str:
    return "-" if value is ABSENT else cut(text_of(value), VALUE_AT_MOST)


def _effect_rows(change: Change, now: datetime) -> Iterator[tuple[str, str]]:
    """What it means for when the flow runs, where it means anything."""
    before, after = effects(change, now)
    if before == after:
        return
    yield "next run", _arrow(_next(before) if before else None, _next(after))
    yield "runs a week", _arrow(str(before.per_week) if before else None, str(after.per_week) if after else "none")


def effects(change: Change, now: datetime) -> tuple[Effect | None, Effect | None]:
    """When it runs as it is, and as it will be; None where it is not there."""
    live = change.live or change.former
    before = effect_of(live.view, now) if live else None
    if change.declared is None:
        return before, None
    view = view_of(change.declared.body)
    schedules = {slug: {**its, "active": change.is_on(slug, its["active"])} for slug, its in view["schedules"].items()}
    return before, effect_of({**view, "schedules": schedules, "paused": change.paused}, now)


def _arrow(before: str | None, after: str) -> str:
    return after if before is None else f"{before} -> {after}"


def _next(effect: Effect | None) -> str:
    return f"{effect.next_times[0]:%a %Y-%m-%d %H:%M %Z}" if effect and effect.next_times else "none"


def _obstacles(outlook: "Outlook", style: Style) -> Iterator[str]:
    for it in outlook.obstacles:
        colour = "red" if it.severity == "error" else "yellow"
        yield f"{style.paint(it.severity, colour, 'bold')}: {printable(it.message)}; {printable(it.hint)}"


def summary(outlook: "Outlook", style: Style) -> str:
    """The counts, in one line."""
    changes = outlook.changes
    counts = {
        "to create": len(changes.of("create")),
        "to move": len(changes.of("move")),
        "to update": len(changes.of("update")),
        "to delete" if outlook.prune else "left over": len(changes.of("delete")),
        "unchanged": len(changes.of("unchanged")),
    }
    return style.paint(", ".join(f"{count} {what}" for what, count in counts.items() if count) or "nothing", "bold")


def as_data(outlook: "Outlook") -> dict[str, Any]:
    """The same for machines."""
    manifest = outlook.manifest
    return {
        "server": outlook.server,
        "prefect": outlook.version or None,
        "environment": manifest.environment,
        "manifest": manifest.digest,
        "commit": manifest.commit,
        "deployments": [_entry(it, outlook) for it in outlook.changes.items],
        "problems": [{"severity": it.severity, "message": it.message, "hint": it.hint} for it in outlook.obstacles],
    }


def _entry(change: Change, outlook: "Outlook") -> dict[str, Any]:
    before, after = effects(change, outlook.now) if change.action != "unchanged" else (None, None)
    return {
        "flow": change.flow,
        "action": change.action,
        "former": change.former.flow if change.former else None,
        "fields": [_field(it) for it in change.fields],
        "kept": [{"schedule": it.schedule or None, "on": it.is_on} for it in change.kept],
        "before": _effect(before),
        "after": _effect(after),
    }


def _field(it: FieldChange) -> dict[str, Any]:
    sides = {side: value for side, value in (("before", it.before), ("after", it.after)) if value is not ABSENT}
    return {"path": it.path, **sides, "origin": it.origin}


def _effect(effect: Effect | None) -> dict[str, Any] | None:
    if effect is None:
        return None
    return {"next": [it.isoformat() for it in effect.next_times], "per_week": effect.per_week}
