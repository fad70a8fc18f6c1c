"""A bound flow without errors -> its `Plan`."""

from flowmill import cron
from flowmill.flow import BoundFlow, BoundStep
from flowmill.plan import ConcurrencyPlan, ParameterPlan, Plan, StepPlan
from flowmill.spec import Parameter, StepKeys


def make_plan(flow: BoundFlow) -> Plan:
    """Decide everything that can be decided before a run; the flow must have passed its checks."""
    spec = flow.spec
    handlers = {name: _steps(flow, steps) for name, steps in flow.handlers.items()}
    owner = spec.owner or flow.context.project.owner
    return Plan(
        project=spec.project,
        flow=flow.context.flow_name,
        environment=flow.environment,
        server=spec.server,
        description=spec.description,
        owner=owner,
        tags=tuple(spec.tags),
        cron=_explicit(spec.cron),
        timezone=spec.timezone,
        paused=spec.paused,
        concurrency=_concurrency(flow),
        parameters=tuple(_parameter(name, value) for name, value in spec.parameters.items()),
        constants=dict(flow.constants),
        steps=_steps(flow, flow.steps),
        on_failure=handlers["on_failure"],
        on_success=handlers["on_success"],
        finally_=handlers["finally"],
        spec_path=flow.context.spec_path,
    )


def _explicit(text: str | None) -> str | None:
    """The expression spelt out as lists, which every scheduler reads alike."""
    parsed = cron.parse(text) if text is not None else None
    return parsed.explicit if isinstance(parsed, cron.Cron) else None


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
        name=keys.name or keys.id,
        type=keys.type,
        needs=flow.needs.get(keys.id, ()) if step.group == "steps" else (),
        config=model.model_dump(mode="json", by_alias=True, exclude_unset=True, warnings=False),
        env={**flow.spec.env, **keys.env} if takes else {},
        env_from=tuple(dict.fromkeys([*flow.spec.env_from, *keys.env_from])) if takes else (),
        retries=keys.retries,
        retry_delays=_retry_delays(keys),
        timeout=keys.timeout,
        continue_on_error=keys.continue_on_error,
    )


def _retry_delays(keys: StepKeys) -> tuple[float, ...]:
    """The wait before each further attempt, in seconds."""
    return tuple(round(keys.retry_delay * keys.retry_backoff**attempt, 3) for attempt in range(keys.retries))
