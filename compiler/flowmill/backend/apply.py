"""Carrying out changes on a Prefect server, so that no scheduled run is lost and none is made twice.

Prefect throws the coming runs of a deployment away whenever it is written, and makes new ones some seconds later;
what is due in between would never run. So after each write the server is told to make the runs from just before it
on. A deployment that is there is patched, never posted again: that would give its schedules new ids, and Prefect
knows by them which runs it has made already. The switches and the rest of a deployment are one request.

Every step may be the last before this process is killed: each is safe to repeat, and what was done is told by the
server's own data, so a further register goes on from there.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flowmill.backend.server import PAGE, Server, ServerConflict, ServerError, ServerLost, labels_of
from flowmill.backend.success_times import ServerTimes
from flowmill.registering.changes import Change
from flowmill.registering.live import Live
from flowmill.registering.manifest import Declared
from flowmill.registering.schedule_effect import effect_of, times_until
from flowmill.registering.view import view_of
from flowmill.running.late_tags import limit_of
from flowmill.running.success_times import TimesError

_EARLIER = timedelta(seconds=2)
"""The server tells its time in whole seconds."""
LOOKED_BACK = timedelta(minutes=5)
"""How long ago an interrupted register is looked for."""
_FIRST = 10
"""How many runs tell whether some were made twice."""
_PAUSES = (0.2, 0.5, 1.0)
"""Seconds to wait before runs are made again: a register at the same time may just have thrown them away."""
_SOON = timedelta(minutes=1)
"""What is due later the server makes in time by itself."""


@dataclass(frozen=True)
class Applied:
    """How a change went; `problem` says why it did not."""

    change: Change
    problem: str = ""


def apply(server: Server, workspace: str, change: Change) -> Applied:
    """Carry out one change.

    Raises:
        ServerLost: the server does not answer any more.
    """
    try:
        _steps(server, workspace, change)
    except ServerLost:
        raise
    except (ServerError, TimesError) as error:
        return Applied(change, str(error))
    return Applied(change)


def _steps(server: Server, workspace: str, change: Change) -> None:
    if change.action == "delete" and change.live:
        _delete(server, change.live)
    elif change.action in ("create", "update", "move") and change.declared:
        _write(server, workspace, change, change.declared)
        if change.former:
            _carry_over(change.former, change.declared)
            _delete(server, change.former)


def _write(server: Server, workspace: str, change: Change, declared: Declared) -> None:
    since = server.now
    body = _body(change, declared)
    live = change.live
    if live is None or live.owner != workspace:
        id = _make(server, workspace, declared, body)
    else:
        id = live.id
        _patch(server, live, body)
    _schedule(server, id, since, body, declared.flow)


def _make(server: Server, workspace: str, declared: Declared, body: dict[str, Any]) -> str:
    """Make a deployment, or take over one that is there; its id.

    What another register has made since the server was looked at is left: Prefect would give it new schedules.
    """
    labels = labels_of(workspace, declared.flow)
    found = server.ask("GET", f"/deployments/name/{declared.flow}/{body['name']}", missing=True)
    if found and found["version"] == body["version"] and labels.items() <= (found["labels"] or {}).items():
        return str(found["id"])
    made = {**body, "flow_id": server.flow(declared.flow), "labels": labels}
    return str(server.ask("POST", "/deployments/", made)["id"])


def _body(change: Change, declared: Declared) -> dict[str, Any]:
    schedules = [{**it, "active": change.is_on(it["slug"], it["active"])} for it in declared.body["schedules"]]
    return {**declared.body, "schedules": schedules, "paused": change.paused, "version": declared.digest}


def _patch(server: Server, live: Live, body: dict[str, Any]) -> None:
    """Change what is there. A patch only changes and adds schedules; those that are not declared are taken away.

    Where one has no slug, because somebody has made it by hand, Prefect would replace them all, so it goes before.
    The others go afterwards: the patch tells the next register when this one was interrupted.
    """
    wanted = {it["slug"] for it in body["schedules"]}
    surplus = [it for it in live.content.get("schedules") or [] if it.get("slug") not in wanted]
    for schedule in surplus:
        if not schedule.get("slug"):
            _remove_schedule(server, live, schedule["id"])
    try:
        server.ask("PATCH", f"/deployments/{live.id}", _patched(live, body))
    except ServerConflict:  # a register at the same time has just added the schedule
        server.ask("PATCH", f"/deployments/{live.id}", _patched(live, body))
    for schedule in surplus:
        if schedule.get("slug"):
            _remove_schedule(server, live, schedule["id"])


def _patched(live: Live, body: dict[str, Any]) -> dict[str, Any]:
    """What a patch tells: nothing of switches that are the operator's, who may move one at this moment."""
    kept = {key: value for key, value in body.items() if key not in ("name", "paused")}
    return {**kept, "schedules": [_without_switch(live, it) for it in body["schedules"]]}


def _without_switch(live: Live, schedule: dict[str, Any]) -> dict[str, Any]:
    """A schedule as it is told; without its switch, unless the schedule is new or its spec has moved the switch."""
    now = live.view["schedules"].get(schedule["slug"])
    if now is None or now["active"] != schedule["active"]:
        return schedule
    return {key: value for key, value in schedule.items() if key != "active"}


def _remove_schedule(server: Server, live: Live, id: str) -> None:
    """Prefect throws away what waits, whichever schedule has made it; what is not of this one is made again."""
    waiting = _runs(server, [live.id], "SCHEDULED", before_=server.now.isoformat())
    server.ask("DELETE", f"/deployments/{live.id}/schedules/{id}", missing=True)
    for due in sorted({_utc(it["expected_start_time"]) for it in waiting}):
        only = {"start_time": due.isoformat(), "end_time": (due + timedelta(seconds=1)).isoformat()}
        server.ask("POST", f"/deployments/{live.id}/schedule", only)


def _schedule(server: Server, id: str, since: datetime, body: Mapping[str, Any], flow: str) -> None:
    """Have the runs made that a write has thrown away, and see that there is one.

    Raises:
        ServerError: the server makes none, although a schedule fires within a week; it looks only so far ahead.
    """
    if body["paused"] or not any(it["active"] for it in body["schedules"]):
        return
    for pause in _PAUSES:
        server.ask("POST", f"/deployments/{id}/schedule", {"start_time": (since - _EARLIER).isoformat()})
        first = _runs(server, [id], "SCHEDULED", limit=_FIRST)
        if len({it["expected_start_time"] for it in first}) < len(first):
            _remove_orphans(server, id)
        # Somebody may have switched it off in this moment.
        if first or not effect_of(view_of(server.ask("GET", f"/deployments/{id}")), server.now).per_week:
            return
        time.sleep(pause)
    raise ServerError(f"the Prefect server at {server.address} makes no runs of {flow}: see its log")


def _remove_orphans(server: Server, id: str) -> None:
    """Delete the runs of schedules that are there no more.

    Of two registers that make a deployment at once, the later gives it other schedules; the server may just then be
    making the runs of the earlier ones. Every register that has had runs made looks for them.
    """
    waiting = list(server.pages("/flow_runs/filter", _wanted([id], "SCHEDULED")))
    schedules = {it["id"] for it in server.ask("GET", f"/deployments/{id}")["schedules"]}
    for run in waiting:
        maker = run["created_by"] or {}
        if maker.get("type") == "SCHEDULE" and maker["id"] not in schedules:
            server.ask("DELETE", f"/flow_runs/{run['id']}", missing=True)


def _runs(server: Server, ids: list[str], *states: str, limit: int = PAGE, **due: Any) -> list[dict[str, Any]]:
    """The first runs of deployments: of all, or of those in some states or due in some time."""
    wanted = {**_wanted(ids, *states, **due), "limit": limit}
    found: list[dict[str, Any]] = server.ask("POST", "/flow_runs/filter", wanted)
    return found


def _wanted(ids: list[str], *states: str, **due: Any) -> dict[str, Any]:
    wanted = {"expected_start_time": due or None, "state": {"type": {"any_": states}} if states else None}
    of_runs = {key: value for key, value in wanted.items() if value}
    return {"deployments": {"id": {"any_": ids}}, "flow_runs": of_runs, "sort": "EXPECTED_START_TIME_ASC"}


def _utc(moment: str) -> datetime:
    return datetime.fromisoformat(moment).astimezone(UTC)


def _delete(server: Server, live: Live) -> None:
    """Delete a deployment and every run of it that has not begun; Prefect leaves those that wait for a slot."""
    runs = list(server.pages("/flow_runs/filter", _wanted([live.id], "SCHEDULED")))
    server.ask("DELETE", f"/deployments/{live.id}", missing=True)
    for run in runs:
        if run["state_name"] == "AwaitingConcurrencySlot":
            server.ask("DELETE", f"/flow_runs/{run['id']}", missing=True)


def _carry_over(former: Live, declared: Declared) -> None:
    """What the flow remembers goes on under its new name; what it has under that already is not put back."""
    times = ServerTimes()
    environment = declared.body["name"]
    kept = times.read(f"{former.flow}.{environment}")
    if kept is not None:
        times.advance(f"{declared.flow}.{environment}", kept)


def complete(server: Server, changes: tuple[Change, ...]) -> list[str]:
    """Make the runs that a register which was killed right after a write has left unmade; whose they are.

    Only deployments that were written lately are looked at, and only where a run is missing is anything written.
    """
    found: list[str] = []
    for change in changes:
        since = _written_lately(change.live, server.now) if change.live else None
        if change.live and since and _lacks_run(server, change.live, since):
            start = {"start_time": (since - _EARLIER).isoformat()}
            server.ask("POST", f"/deployments/{change.live.id}/schedule", start)
            found.append(change.flow)
    return found


def _written_lately(live: Live, now: datetime) -> datetime | None:
    updated = datetime.fromisoformat(str(live.content["updated"])).astimezone(UTC)
    return updated if now - LOOKED_BACK < updated else None


def _lacks_run(server: Server, live: Live, since: datetime) -> bool:
    """Whether a run is not there that was due since then, or is due soon."""
    until = server.now + _SOON
    due = times_until(live.view, since - _EARLIER, until)
    if not due:
        return False
    runs = _runs(server, [live.id], after_=(since - _EARLIER).isoformat(), before_=until.isoformat())
    made = {_utc(it["expected_start_time"]) for it in runs}
    return any(it.astimezone(UTC) not in made for it in due)


def late_limits(declared: tuple[Declared, ...]) -> set[int]:
    """The limits that the tags of deployments name, for the automations that act on them."""
    tags = {tag for it in declared for tag in it.body["tags"]}
    return {limit for tag in tags if (limit := limit_of(tag)) is not None}
