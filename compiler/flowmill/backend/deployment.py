"""A plan -> what Prefect is told when its flow is registered: when to run, where, how many at once, with what."""

from typing import Any

from prefect import Flow
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.objects import ConcurrencyLimitStrategy, ConcurrencyOptions
from prefect.client.schemas.schedules import CronSchedule

from flowmill.plan import ConcurrencyPlan, Plan, SchedulePlan

_ON_CONFLICT = {"queue": ConcurrencyLimitStrategy.ENQUEUE, "cancel_new": ConcurrencyLimitStrategy.CANCEL_NEW}


def deployment_arguments(plan: Plan, flow: Flow[Any, Any]) -> dict[str, Any]:
    """The arguments of `PrefectClient.create_deployment` that follow from the plan.

    Where the code lies (`entrypoint`, `path`, `pull_steps`) and the flow's id are for whoever registers it.

    Args:
        flow: the plan's flow, for the schema of its parameters.
    """
    return {
        "name": plan.environment,
        "description": plan.description,
        "tags": list(dict.fromkeys([plan.project, plan.environment, plan.server, *plan.tags])),
        "work_pool_name": plan.server,
        "work_queue_name": queue_name(plan),
        "schedules": [_schedule(schedule) for schedule in plan.schedules],
        "paused": bool(plan.schedules) and all(schedule.paused for schedule in plan.schedules),
        "parameter_openapi_schema": flow.parameters.model_dump_for_openapi(),
        "enforce_parameter_schema": True,
        **_concurrency(plan.concurrency),
    }


def queue_name(plan: Plan) -> str:
    """The work queue that runs wait in: the environment's own, or `<environment>-<queue>`."""
    return f"{plan.environment}-{plan.queue}" if plan.queue else plan.environment


def _schedule(schedule: SchedulePlan) -> DeploymentScheduleCreate:
    return DeploymentScheduleCreate(
        slug=schedule.id,
        schedule=CronSchedule(cron=schedule.cron, timezone=schedule.timezone),
        parameters=schedule.parameters,
        active=not schedule.paused,
    )


def _concurrency(concurrency: ConcurrencyPlan | None) -> dict[str, Any]:
    if concurrency is None:
        return {}
    strategy = _ON_CONFLICT[concurrency.on_conflict]
    return {
        "concurrency_limit": concurrency.limit,
        "concurrency_options": ConcurrencyOptions(collision_strategy=strategy),
    }
