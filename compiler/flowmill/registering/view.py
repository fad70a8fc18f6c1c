"""One way of looking at a deployment, whether it is declared or lies on a server: in the words of specs.

Two deployments are alike when their views are. What Prefect keeps besides, such as times and states, is left out.
"""

from collections.abc import Mapping
from typing import Any

from flowmill.planning.digest import digest_of

ENTER = "flowmill.pull.enter"
"""The pull step that says which spec runs."""
CLONE = "prefect.deployments.steps.git_clone"
TOKEN = "flowmill.pull.token"
"""The pull step that looks for the token of a private repository."""
RECORD = "applied"
"""Where `ENTER` keeps what was applied last: a digest of each field, and every switch."""
_ON_CONFLICT = {"ENQUEUE": "queue", "CANCEL_NEW": "cancel_new"}
View = Mapping[str, Any]


def view_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """The view of a deployment's fields, as Prefect's REST API spells them."""
    return {
        "description": body.get("description") or "",
        "tags": sorted(body.get("tags") or []),
        "server": body.get("work_pool_name"),
        "queue": body.get("work_queue_name"),
        "paused": bool(body.get("paused")),
        "schedules": {_name(it): _schedule(it) for it in body.get("schedules") or []},
        "parameters": _parameters(body.get("parameter_openapi_schema") or {}),
        "values": body.get("parameters") or {},
        "checked": bool(body.get("enforce_parameter_schema")),
        "concurrency": _concurrency(body),
        "code": _code(body.get("pull_steps") or []),
        "entrypoint": body.get("entrypoint"),
        "path": body.get("path"),
        "job_variables": body.get("job_variables") or {},
    }


def entered(body: Mapping[str, Any]) -> dict[str, Any]:
    """What our own pull step is told; empty where a deployment has none."""
    for step in body.get("pull_steps") or []:
        if isinstance(step, dict) and isinstance(step.get(ENTER), dict):
            return dict(step[ENTER])
    return {}


def record_of(view: View) -> dict[str, Any]:
    """What is kept of a view when it is applied: enough to tell later who has changed what."""
    switches = {slug: schedule["active"] for slug, schedule in view["schedules"].items()}
    return {"fields": {name: digest_of(value)[:8] for name, value in view.items()}, "switches": switches}


def _name(schedule: Mapping[str, Any]) -> str:
    """A schedule's name; one that somebody has made by hand may have none but its id."""
    return str(schedule.get("slug") or schedule.get("id") or "")


def _schedule(schedule: Mapping[str, Any]) -> dict[str, Any]:
    when = dict(schedule.get("schedule") or {})
    if "cron" in when:
        when.pop("day_or", None)
    return {**when, "parameters": schedule.get("parameters") or {}, "active": bool(schedule.get("active"))}


def _parameters(schema: Mapping[str, Any]) -> dict[str, Any]:
    required = schema.get("required") or []
    properties = schema.get("properties") or {}
    return {name: {**its, "required": name in required} for name, its in properties.items()}


def _concurrency(body: Mapping[str, Any]) -> dict[str, Any] | None:
    limit = body.get("concurrency_limit")
    kept = body.get("global_concurrency_limit")
    if limit is None and kept:
        limit = kept.get("limit")
    if limit is None:
        return None
    strategy = (body.get("concurrency_options") or {}).get("collision_strategy") or "ENQUEUE"
    return {"limit": limit, "on_conflict": _ON_CONFLICT.get(strategy, strategy)}


def _code(steps: list[Any]) -> dict[str, Any]:
    """Which code runs: the steps as they are, but for what we keep in ours about the last time."""
    found: dict[str, Any] = {}
    for step in steps:
        for name, inputs in step.items() if isinstance(step, dict) else ():
            kept = {key: value for key, value in (inputs or {}).items() if key not in (RECORD, "id")}
            found |= kept if name in (ENTER, CLONE) else {name: kept}
    return found
