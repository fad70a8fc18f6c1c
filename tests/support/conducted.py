"""Running a plan through the conductor with steps that only end as they are told to: the rules, and nothing else."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flowmill.planning.plan import CatchupPlan, ElementsPlan, Plan, StepPlan
from flowmill.running.conductor import conduct
from flowmill.running.outcome import Outcome, RunOutcome, State
from flowmill.running.run import Facts, Run
from flowmill.running.runtime import Runtime, Selection
from flowmill.running.task import StepTask
from flowmill_tasks.base import ProcessOutput
from flowmill_tasks.registry import discover
from support.flows import DictSecrets

NOW = datetime(2026, 4, 3, 7, 59, tzinfo=UTC)


def step(id: str, needs: Sequence[str] = (), **keys: Any) -> StepPlan:
    """A step of a plan; keys that are left out have the values of a spec without them."""
    return StepPlan(
        id=id,
        name=keys.get("name", ""),
        type="script",
        needs=tuple(needs),
        condition=keys.get("condition"),
        elements=keys.get("elements"),
        mutex=keys.get("mutex"),
        config=keys.get("config", {}),
        env={},
        env_from=(),
        retries=keys.get("retries", 0),
        retry_delays=(0.0,) * keys.get("retries", 0),
        timeout=None,
        continue_on_error=keys.get("continue_on_error", False),
    )


def over(items: Any, **keys: Any) -> ElementsPlan:
    """What a step with `foreach` runs over."""
    return ElementsPlan(items, None, keys.get("max_parallel", 1), keys.get("fail_fast", True))


def plan(steps: Sequence[StepPlan], **keys: Any) -> Plan:
    """A plan of these steps."""
    handlers = {name: tuple(keys.pop(name, ())) for name in ("on_retry", "on_failure", "on_success", "finally_")}
    facts = {"project": "demo", "flow": "job", "environment": "staging", "server": "etl-01"}
    empty = {"description": "", "owner": "", "tags": (), "queue": None, "schedules": (), "run_name": ""}
    return Plan(
        **facts,
        **empty,
        timezone="UTC",
        catchup=CatchupPlan("last", None),
        concurrency=None,
        last_success=keys.pop("last_success", None),
        parameters=(),
        constants={**facts, **keys},
        steps=tuple(steps),
        **handlers,
        spec_path="demo/job.yaml",
    )


@dataclass
class Ends:
    """Carries out nothing: every task ends as `states` says by its label, and succeeds where it says nothing.

    Attributes:
        started: the labels of the tasks that were carried out, in order.
        recorded: every task with its end, those that were not carried out included.
    """

    states: Mapping[str, State] = field(default_factory=dict)
    pauses: int = 0
    started: list[str] = field(default_factory=list)
    recorded: list[tuple[str, Outcome]] = field(default_factory=list)

    async def run_task(self, task: StepTask, run: Run, upstream: list[str], decided: Outcome | None) -> Outcome:
        outcome = decided or await self._end(task)
        self.recorded.append((task.label, outcome))
        return outcome

    async def _end(self, task: StepTask) -> Outcome:
        self.started.append(task.label)
        for _ in range(self.pauses):
            await asyncio.sleep(0)  # let others go first
        state = self.states.get(task.label, State.SUCCESS)
        code = 0 if state is State.SUCCESS else 3
        return Outcome(task.step.id, state, "", ProcessOutput(exit_code=code), exit_code=code, attempts=1)


def run_of(plan: Plan, **parameters: Any) -> Run:
    """A run of a plan whose steps need nothing from outside."""
    selection = parameters.pop("selection", Selection())
    runtime = Runtime(folder=Path("/nowhere"), registry=discover(), secrets=DictSecrets(), selection=selection)
    return Run(plan, runtime, Facts("r1", NOW, NOW), parameters)


def conducted(plan: Plan, ends: Ends, **parameters: Any) -> tuple[RunOutcome, Run]:
    """The end of a run, and the run with the outcome of every step and handler."""
    run = run_of(plan, **parameters)
    return asyncio.run(conduct(run, ends.run_task)), run
