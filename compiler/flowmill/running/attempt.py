"""One attempt of one step: its keys rendered, its model built, its work done."""

import traceback
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, Protocol, cast

from flowmill.expressions.language import ExpressionError
from flowmill.expressions.render import map_texts, marked, opened, render
from flowmill.planning.plan import StepPlan
from flowmill.running.environ import environ
from flowmill.running.redaction import MaskingLog
from flowmill.running.run import Run
from flowmill.running.task import StepTask
from flowmill.spec.bind import bind
from flowmill.spec.fields_of_keys import field_of, model_in
from flowmill_tasks.base import Log, Output, Step, StepFailed, StepRun
from flowmill_tasks.cancellation import Cancellation
from flowmill_tasks.perform import perform


class CarryOut(Protocol):
    """Does one attempt of a step whose values are all known, within its timeout; see `perform`."""

    def __call__(self, step: Step, run: StepRun, timeout: float | None) -> Awaitable[Output]: ...


async def attempt(task: StepTask, run: Run, number: int, log: Log, carry_out: CarryOut = perform) -> Output:
    """Do the task once.

    Returns:
        Its output, secrets masked.

    Raises:
        StepFailed: it did not work, timed out or was cancelled; the message has its secrets masked.
    """
    try:
        model, prepared = await run.runtime.aside(prepare, task, run, number, log)
        output = await carry_out(model, prepared, task.step.timeout)
    except StepFailed as failure:
        raise _masked(failure, run) from None
    except Exception as fault:  # noqa: BLE001 - whatever a step type raises must be masked, and fails its step only
        raise _masked(_broken(task.step, fault), run) from None
    return cast(Output, run.redactor.mask_model(output))


def prepare(task: StepTask, run: Run, number: int, log: Log) -> tuple[Step, StepRun]:
    """The step's model with every expression evaluated, and what it gets from the run.

    Raises:
        StepFailed: an expression has no value, a secret is missing, or the values do not fit the step.
    """
    try:
        model = build_model(task, run)
        env = render(marked(task.step.env), run.scope(task.names))
        variables = environ(env, task.step.env_from, run.secrets)
    except ExpressionError as error:
        raise StepFailed(str(error), permanent=True) from None
    return model, step_run(task, run, number, log, variables)


def build_model(task: StepTask, run: Run) -> Step:
    """The step's model from rendered values.

    Raises:
        StepFailed: the values do not fit; the message names keys, not values.
    """
    step_type = run.runtime.registry[task.step.type]
    config = rendered(task, run, skip=step_type.delivery_fields if run.runtime.outbox else frozenset())
    bound = bind(step_type, config, ())
    if isinstance(bound, list):
        first = bound[0]
        where = ".".join(map(str, first.route)) or task.step.type
        raise StepFailed(f"`{where}`: {first.message}", permanent=True) from None
    return bound


def rendered(task: StepTask, run: Run, skip: frozenset[str]) -> dict[str, Any]:
    """The step's keys with their expressions evaluated, except for those in `skip`; no message holds a secret."""
    scope, step_type, keys = run.scope(task.names), run.runtime.registry[task.step.type], task.step.config
    values = {
        key: marked(value) if key in skip else render(marked(value), scope, escape=step_type.escaper(key, keys))
        for key, value in keys.items()
    }
    for key in values.keys() - skip:
        if (field := field_of(step_type, key)) and model_in(field.annotation):
            values[key] = opened(values[key])
    messages = {key: map_texts(values[key], run.redactor.mask) for key in step_type.message_fields & values.keys()}
    return {**values, **messages}


def step_run(task: StepTask, run: Run, number: int, log: Log, variables: dict[str, str]) -> StepRun:
    """What one attempt of a task gets from the run."""
    plan = run.plan
    labels = {
        "project": plan.project,
        "flow": plan.name,
        "environment": plan.environment,
        "run": run.facts.id,
    }
    return StepRun(
        step_id=task.key,
        key=f"{run.facts.id}.{task.key}",
        log=MaskingLog(log, run.redactor),
        cancellation=Cancellation(),
        directory=run.runtime.folder,
        root=run.runtime.folder,
        environ=variables,
        labels=labels,
        attempt=number,
        outbox=run.runtime.outbox,
        memory=run.memory,
        publish=run.runtime.publish,
    )


def _broken(step: StepPlan, fault: Exception) -> StepFailed:
    """What to read when a step type raises anything but a `StepFailed`; the place is for its author."""
    frame = traceback.extract_tb(fault.__traceback__)[-1]
    where = f"{Path(frame.filename).name}:{frame.lineno}"
    return StepFailed(f"the step type `{step.type}` is broken: {type(fault).__name__} at {where}: {fault}")


def _masked(failure: StepFailed, run: Run) -> StepFailed:
    mask = run.redactor.mask
    return type(failure)(
        mask(failure.message),
        exit_code=failure.exit_code,
        tail=mask(failure.tail),
        permanent=failure.permanent,
    )
