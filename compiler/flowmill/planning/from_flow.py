"""A bound flow without errors -> its `Plan`."""

from collections.abc import Iterator

from flowmill.elaborating.bound_flow import BoundFlow, BoundStep
from flowmill.planning.plan import (
    CatchupPlan,
    ConcurrencyPlan,
    ElementsPlan,
    ParameterPlan,
    Plan,
    SchedulePlan,
    StepPlan,
)
from flowmill.spec.flow import FlowSpec, Parameter, Schedule, StepKeys
from flowmill.times import cron


def make_plan(flow: BoundFlow) -> Plan:
    """Decide everything that can be decided before a run; the flow must have passed its checks."""
    spec = flow.spec
    handlers = {name: _steps(flow, steps) for name, steps in flow.handlers.items()}
    return Plan(
        project=spec.project,
        flow=flow.context.flow_name,
        environment=flow.environment,
        server=spec.server,
        description=spec.description,
        owner=spec.owner or flow.context.project.owner,
        tags=tuple(spec.tags),
        queue=spec.queue,
        timezone=spec.timezone,
        schedules=tuple(_schedules(spec)),
        catchup=CatchupPlan(spec.catchup, spec.skip_if_late),
        concurrency=_concurrency(flow),
        last_success=spec.last_success.default if spec.last_success else None,
        run_name=spec.run_name,
        parameters=tuple(_parameter(name, value) for name, value in spec.parameters.items()),
        constants=dict(flow.constants),
        steps=_steps(flow, flow.steps),
        on_retry=handlers["on_retry"],
        on_failure=handlers["on_failure"],
        on_success=handlers["on_success"],
        finally_=handlers["finally"],
        spec_path=flow.context.spec_path,
        protect=spec.protect,
        moved_from=spec.moved_from or "",
    )


def _schedules(spec: FlowSpec) -> Iterator[SchedulePlan]:
    """The schedules, whether they are written as `cron` or as `schedules`."""
    written = spec.schedules or ([Schedule(cron=spec.cron)] if spec.cron is not None else [])
    for index, schedule in enumerate(written):
        parsed = cron.parse(schedule.cron)
        if isinstance(parsed, cron.Cron):
            yield SchedulePlan(
                id=schedule_id(schedule, index),
                cron=parsed.explicit,
                timezone=schedule.timezone or spec.timezone,
                parameters=schedule.parameters,
                paused=spec.paused or schedule.paused,
            )


def schedule_id(schedule: Schedule, index: int) -> str:
    """What a schedule is called, in Prefect too: its `id`, or else its place in the list."""
    return schedule.id or f"schedule-{index + 1}"


def _concurrency(flow: BoundFlow) -> ConcurrencyPlan | None:
    wanted = flow.spec.concurrency
    return ConcurrencyPlan(wanted.limit, wanted.on_conflict) if wanted else None


def _parameter(name: str, parameter: Parameter) -> ParameterPlan:
    values = parameter.model_dump()
    choices = values.pop("choices")
    return ParameterPlan(name, **values, choices=tuple(choices) if choices else None)


def _steps(flow: BoundFlow, steps: tuple[BoundStep, ...]) -> tuple[StepPlan, ...]:
    return tuple(_step(flow, step) for step in steps)


def _step(flow: BoundFlow, step: BoundStep) -> StepPlan:
    keys, model = step.keys, step.model
    if model is None:
        raise ValueError(f"step `{step.id}` was not bound: a plan is only made of a flow without errors")
    takes = model.takes_environment
    return StepPlan(
        id=keys.id,
        name=keys.name,
        type=keys.type,
        needs=flow.needs.get(keys.id, ()) if step.group == "steps" else (),
        condition=keys.if_,
        elements=_elements(keys),
        mutex=keys.mutex,
        config=model.model_dump(mode="json", by_alias=True, exclude_unset=True, warnings=False),
        env={**flow.spec.env, **keys.env} if takes else {},
        env_from=tuple(dict.fromkeys([*flow.spec.env_from, *keys.env_from])) if takes else (),
        retries=keys.retries,
        retry_delays=_retry_delays(keys),
        timeout=keys.timeout,
        continue_on_error=keys.continue_on_error,
    )


def _elements(keys: StepKeys) -> ElementsPlan | None:
    if keys.foreach is None and keys.matrix is None:
        return None
    return ElementsPlan(keys.foreach, keys.matrix, keys.max_parallel, keys.fail_fast)


def _retry_delays(keys: StepKeys) -> tuple[float, ...]:
    """The wait before each further attempt, in seconds."""
    return tuple(round(keys.retry_delay * keys.retry_backoff**attempt, 3) for attempt in range(keys.retries))
