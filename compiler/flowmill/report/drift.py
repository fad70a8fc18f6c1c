"""What has been changed on a server since it was registered, as text and as data."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flowmill.counted import counted
from flowmill.differences import ABSENT
from flowmill.registering.changes import Switch
from flowmill.registering.drift import Drift, Drifted
from flowmill.registering.kept import Kept
from flowmill.registering.manifest import Manifest
from flowmill.report.explanation import cut, text_of
from flowmill.report.outlook import VALUE_AT_MOST
from flowmill.report.style import Style, printable

_MARKS = {"deleted": "-", "changed": "~", "undeclared": "+", "taken": "!"}
_WORDS = {
    "deleted": "was deleted",
    "changed": "was changed",
    "undeclared": "is there, and is not in the manifest",
}


@dataclass(frozen=True)
class Looked:
    """What was compared, and what it has come to.

    Attributes:
        server: the address of the server.
        last: what was kept when it was registered.
    """

    server: str
    last: Kept
    manifest: Manifest
    drifts: list[Drift]


def as_text(found: Looked, style: Style) -> str:
    """Every deployment that is not as it was registered, and how many there are."""
    last, manifest = found.last, found.manifest
    head = f"{manifest.environment} on {found.server}, manifest {last.digest} of {when(last)}, {commit_of(last)}"
    blocks = [line for drift in found.drifts for line in _block(drift, style)]
    return "\n".join([style.paint(head, "bold"), *blocks, _summary(found, style)]) + "\n"


def when(kept: Kept) -> str:
    """When a manifest was applied."""
    return f"{kept.at:%Y-%m-%d %H:%M} UTC"


def commit_of(kept: Kept) -> str:
    """The commit that it was compiled from."""
    return f"commit {kept.commit[:12]}" if kept.commit else "no commit"


def _block(drift: Drift, style: Style) -> Iterator[str]:
    mark = style.paint(f"{_MARKS[drift.kind]} {printable(drift.flow)}", "yellow")
    yield f"  {mark}  {_WORDS.get(drift.kind) or _taken(drift)}"
    width = max((len(printable(it.path)) for it in drift.fields), default=0)
    for it in drift.fields:
        who = "" if it.by_hand else "  (by a register that has not come to its end)"
        yield f"      {printable(it.path):<{width}}  {_value(it.applied)} -> {_value(it.live)}{who}"
    yield from (f"      {_switch(it)}" for it in drift.switches)


def _taken(drift: Drift) -> str:
    return f"belongs to {f'the workspace `{printable(drift.owner)}`' if drift.owner else 'somebody else'} now"


def _value(value: Any) -> str:
    return "-" if value is ABSENT else cut(text_of(value), VALUE_AT_MOST)


def _switch(switch: Switch) -> str:
    whose = f"schedule `{printable(switch.schedule)}`" if switch.schedule else "the deployment"
    return f"{whose} was switched {'on' if switch.is_on else 'off'}"


def _summary(found: Looked, style: Style) -> str:
    there = counted(len(found.manifest.deployments), "deployment")
    if not found.drifts:
        return style.paint(f"no drift: {there} as registered", "green")
    return style.paint(f"{len(found.drifts)} drifted, {there} registered", "bold")


def as_data(found: Looked) -> dict[str, Any]:
    """The same for machines."""
    last = found.last
    return {
        "server": found.server,
        "environment": found.manifest.environment,
        "manifest": last.digest,
        "commit": last.commit or None,
        "registered": last.at.isoformat(timespec="seconds"),
        "deployments": len(found.manifest.deployments),
        "drift": [_entry(it) for it in found.drifts],
    }


def _entry(drift: Drift) -> dict[str, Any]:
    return {
        "flow": drift.flow,
        "kind": drift.kind,
        "fields": [_field(it) for it in drift.fields],
        "switches": [{"schedule": it.schedule or None, "on": it.is_on} for it in drift.switches],
        "owner": drift.owner or None,
    }


def _field(it: Drifted) -> dict[str, Any]:
    sides = {side: value for side, value in (("applied", it.applied), ("live", it.live)) if value is not ABSENT}
    return {"path": it.path, **sides, "by_hand": it.by_hand}
