"""A plan -> what a Prefect server is told about its deployment, as the JSON of Prefect's REST API.

Nothing that a user writes may stand in a field that Prefect fills in on the worker (`pull_steps`, `job_variables`):
`{{ prefect.blocks... }}` would be replaced there, and a secret would show.
"""

from dataclasses import dataclass
from typing import Any

from flowmill.flows import entrypoint
from flowmill.planning.digest import plan_digest
from flowmill.planning.plan import ConcurrencyPlan, Plan, SchedulePlan
from flowmill.registering.parameter_schema import parameter_schema
from flowmill.registering.targets import queue_of
from flowmill.registering.view import CLONE, ENTER, RECORD, TOKEN, record_of, view_of
from flowmill.running.late_tags import late_tag

TAG = "flowmill"
"""The tag of every deployment of ours, and so of every run of them."""
_ON_CONFLICT = {"queue": "ENQUEUE", "cancel_new": "CANCEL_NEW"}


@dataclass(frozen=True)
class Code:
    """Where workers find the specs.

    Attributes:
        repository: its address; empty where `folder` is one of this machine.
        branch: the branch to take when it is followed, else empty.
        commit: the commit to take when that is pinned, else empty.
        token: the Secret block that holds a token for the repository; empty for none.
        folder: the workspace's folder within the repository, or on this machine.
    """

    repository: str = ""
    branch: str = ""
    commit: str = ""
    token: str = ""
    folder: str = ""


def deployment_body(plan: Plan, code: Code) -> dict[str, Any]:
    """The fields of the deployment, all of them, so that what somebody has changed by hand can be told."""
    body = _fields(plan, code)
    # Read off what is about to be told, so that it fits whatever a release makes of a plan.
    enter = body["pull_steps"][-1][ENTER]
    enter[RECORD] = record_of(view_of(body))
    return body


def _fields(plan: Plan, code: Code) -> dict[str, Any]:
    return {
        "name": plan.environment,
        "description": plan.description,
        "tags": _tags(plan),
        "work_pool_name": plan.server,
        "work_queue_name": queue_name(plan),
        "paused": False,  # the switch is that of each schedule
        "schedules": [_schedule(it) for it in sorted(plan.schedules, key=lambda it: it.id)],
        "parameters": {},
        "parameter_openapi_schema": parameter_schema(plan.parameters),
        "enforce_parameter_schema": True,
        "job_variables": {},
        "entrypoint": entrypoint(plan.name, plan.environment, plan_digest(plan), follows=bool(code.branch)),
        "path": None,
        "pull_steps": _pull_steps(plan, code),
        **_concurrency(plan.concurrency),
    }


def _tags(plan: Plan) -> list[str]:
    """Ours, those of the plan, and the one by which the server takes away runs that have waited too long."""
    ours = [TAG, plan.project, plan.environment, plan.server]
    return list(dict.fromkeys([*ours, *plan.tags, *filter(None, [late_tag(plan)])]))


def queue_name(plan: Plan) -> str:
    """The work queue that runs of a flow wait in."""
    return queue_of(plan.environment, plan.queue)


def _schedule(schedule: SchedulePlan) -> dict[str, Any]:
    return {
        "slug": schedule.id,
        "schedule": {"cron": schedule.cron, "timezone": schedule.timezone, "day_or": True},
        "parameters": schedule.parameters,
        "active": not schedule.paused,
    }


def _concurrency(concurrency: ConcurrencyPlan | None) -> dict[str, Any]:
    if concurrency is None:
        return {"concurrency_limit": None, "concurrency_options": None}
    return {
        "concurrency_limit": concurrency.limit,
        "concurrency_options": {"collision_strategy": _ON_CONFLICT[concurrency.on_conflict]},
    }


def _pull_steps(plan: Plan, code: Code) -> list[dict[str, Any]]:
    """What a worker does before a run: it fetches the specs and is told which of them to run."""
    token = [{TOKEN: {"block": code.token}}] if code.token else []
    clone = [*token, {CLONE: _clone(code)}] if code.repository else []
    folder = "/".join(filter(None, ["{{ clone.directory }}", code.folder])) if code.repository else code.folder
    enter = {
        "folder": folder,
        "spec": plan.spec_path,
        "protect": plan.protect,
    }
    return [*clone, {ENTER: enter}]


def _clone(code: Code) -> dict[str, Any]:
    token = {"access_token": f"{{{{ prefect.blocks.secret.{code.token} }}}}"} if code.token else {}
    which = {"commit_sha": code.commit} if code.commit else {"branch": code.branch}
    return {"id": "clone", "repository": code.repository, **which, **token}
