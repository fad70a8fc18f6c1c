"""A plan -> a Prefect flow."""

from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from prefect import Flow
from prefect.client.schemas.objects import FlowRun
from prefect.context import FlowRunContext
from prefect.runtime import flow_run as current

from flowmill.backend.parameters import docstring, signature
from flowmill.backend.prefect_states import of_run, of_skipped_run
from flowmill.backend.run_name import give_name
from flowmill.backend.tasks import StepTasks
from flowmill.planning.plan import Plan
from flowmill.running.conductor import conduct
from flowmill.running.last_success import recall
from flowmill.running.lateness import reason_to_skip
from flowmill.running.run import Facts, Run
from flowmill.running.runtime import Runtime

Body = Callable[..., Coroutine[Any, Any, Any]]


def build_flow(plan: Plan, runtime: Runtime, opening: Callable[[], None] | None = None) -> Flow[Any, Any]:
    """The Prefect flow that carries out `plan`.

    Its parameters are those of the plan; what it returns is a state.

    Args:
        opening: called first in every run, inside of it.
    """
    body = _body(plan, runtime, opening)
    body.__name__ = plan.flow.replace("-", "_")
    body.__doc__ = docstring(plan.parameters)
    body.__signature__ = signature(plan.parameters)  # type: ignore[attr-defined]  # functions have no such field in typeshed
    flow = Flow(body, name=plan.name, persist_result=False, log_prints=False)
    # Not given to the constructor, which would put the docstring in the place of an empty one.
    flow.description = plan.description or None
    return flow


def _body(plan: Plan, runtime: Runtime, opening: Callable[[], None] | None) -> Body:
    """What each run does.

    It is asynchronous: independent steps run together, and Prefect's heartbeat thread need not be joined.
    """
    starts: dict[str, datetime] = {}
    successes: dict[str, datetime | None] = {}

    async def body(**parameters: Any) -> Any:
        if opening:
            opening()
        run = Run(plan, runtime, _facts(plan, runtime.clock, starts), parameters)
        if reason := _reason_to_skip(run):
            return of_skipped_run(reason)
        # A retry of the whole run begins where the run did, whatever other runs have kept meanwhile.
        run.last_success = successes.get(run.facts.id)
        # Here, because the run's name may need it too. Where it cannot be had, `conduct` tries again and tells.
        await recall(run)
        successes[run.facts.id] = run.last_success
        runtime.observer.run_started(plan, run.facts.id, run.facts.url, await give_name(run))
        outcome = await conduct(run, StepTasks().run_task)
        runtime.observer.run_ended(outcome)
        return of_run(outcome)

    return body


def _facts(plan: Plan, clock: Callable[[], datetime] | None, starts: dict[str, datetime]) -> Facts:
    """The facts of the current run. Its start is the same for a retry of the whole run: Prefect keeps the first."""
    run = _flow_run()
    now = clock() if clock else run.start_time or datetime.now(UTC)
    start = starts.setdefault(str(run.id), now)
    scheduled = start if clock else run.expected_start_time or start
    zone = ZoneInfo(plan.timezone)
    return Facts(str(run.id), _plain(start).astimezone(zone), _plain(scheduled).astimezone(zone), current.ui_url or "")


def _plain(moment: datetime) -> datetime:
    """A time of the standard library. Prefect's are pendulum's, which lose their zone when something is subtracted."""
    return datetime.fromisoformat(moment.isoformat())


def _reason_to_skip(run: Run) -> str:
    """Why the current run is not carried out; only what a schedule has made can be too late."""
    if not _flow_run().auto_scheduled:
        return ""
    return reason_to_skip(run.plan, run.facts.scheduled, run.facts.start, run.parameters)


def _flow_run() -> FlowRun:
    context = FlowRunContext.get()
    if context is None or context.flow_run is None:
        raise RuntimeError("a compiled flow only runs inside a Prefect flow run")
    return context.flow_run
