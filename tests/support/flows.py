"""Flows for tests: written as a workspace, compiled, run on Prefect, and read back from the server."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from contextlib import chdir
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from click import ClickException
from click.testing import CliRunner
from prefect.client.schemas.filters import (
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterId,
    LogFilter,
    LogFilterFlowRunId,
)
from prefect.client.schemas.objects import FlowRun, Log, TaskRun
from prefect.client.schemas.objects import State as PrefectState
from prefect.client.schemas.sorting import LogSort
from prefect.flow_engine import run_flow_async
from prefect.settings import PREFECT_API_URL, temporary_settings
from prefect.states import Scheduled

from flowmill.backend.flow import build_flow
from flowmill.cli import cli
from flowmill.local.runtime import local_runtime
from flowmill.local.select import plan_of
from flowmill.planning.plan import Plan, StepPlan
from flowmill.running.runtime import Runtime
from flowmill.running.secrets import SecretMissing
from support.prefect_server import PrefectServer
from support.waiting import PATIENCE, eventually

WORKSPACE = {
    "environments": {"staging": {"ref": "main"}, "production": {"ref": "production"}},
    "servers": {"etl-01": {}, "etl-02": {}},
}
JOB = {"project": "demo", "environment": "staging", "server": "etl-01"}

FLOWMILL = str(Path(sys.executable).with_name("flowmill"))
"""The installed command."""


def write_workspace(folder: Path, files: Mapping[str, Any], workspace: Any = WORKSPACE) -> Path:
    """Write a workspace into `folder`, every project in it declared, and return the folder.

    Args:
        files: by path; what is not text yet is written as JSON, which is YAML too.
    """
    projects: dict[str, Any] = {f"{name.split('/')[0]}/project.yaml": {} for name in files if "/" in name}
    for name, content in {"flowmill.yaml": workspace, **projects, **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content, indent=2))
    return folder


def write_job(folder: Path, *steps: Any, **keys: Any) -> Path:
    """A workspace with the one flow `demo.job`, from its steps and its other keys; the path of its spec."""
    write_workspace(folder, {"demo/job.yaml": {**JOB, "steps": steps, **keys}})
    return folder / "demo/job.yaml"


def write_distribution(folder: Path, module: str, code: str) -> Path:
    """An installed distribution that offers the step types of one module; `folder` belongs on PYTHONPATH."""
    information = folder / f"{module}-1.0.dist-info"
    information.mkdir(parents=True)
    (folder / f"{module}.py").write_text(code)
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    step_types = re.findall(r"^class (\w+)\(Step\)", code, re.MULTILINE)
    entries = [f"{name.lower()} = {module}:{name}\n" for name in step_types]
    (information / "entry_points.txt").write_text("".join(["[flowmill.steps]\n", *entries]))
    return folder


def script(id: str, command: Any = "true", **keys: Any) -> dict[str, Any]:
    """A step that runs a command."""
    return {"id": id, "type": "script", "command": command, **keys}


@dataclass
class DictSecrets:
    """A secret store that remembers what it was asked for."""

    values: Mapping[str, Any] = field(default_factory=dict)
    read_names: list[str] = field(default_factory=list)

    def read(self, name: str) -> Any:
        self.read_names.append(name)
        if name not in self.values:
            raise SecretMissing(f"there is no secret `{name}`")
        return self.values[name]


@dataclass(frozen=True)
class Ran:
    """A run as the server keeps it; task runs by the ids of their steps, in the order of the spec.

    Attributes:
        named: every task run by its name; those of elements are only here.
    """

    run: FlowRun
    tasks: dict[str, TaskRun]
    logs: list[Log]
    named: dict[str, TaskRun]

    @property
    def state(self) -> "PrefectState[Any]":
        assert self.run.state
        return self.run.state

    def states(self) -> dict[str, str | None]:
        """The name of every step's state."""
        return {step: task.state_name for step, task in self.tasks.items()}

    def message(self, step: str) -> str:
        state = self.tasks[step].state
        return (state and state.message) or ""

    def edges(self) -> dict[str, set[str]]:
        """For every step, those that Prefect draws an arrow from."""
        names = {task.id: name for name, task in self.named.items()}
        names |= {task.id: step for step, task in self.tasks.items()}
        return {
            step: {names[source.id] for source in task.task_inputs.get("wait_for", []) if hasattr(source, "id")}
            for step, task in self.tasks.items()
        }

    def lines(self, step: str) -> list[str]:
        """What the log says about a step."""
        return [log.message for log in self.logs if log.task_run_id == self.tasks[step].id]

    def text(self) -> str:
        """The whole log."""
        return "\n".join(log.message for log in self.logs)


def run_plan(server: PrefectServer, plan: Plan, runtime: Runtime, **parameters: Any) -> Ran:
    """Run a plan in this process and read the run back."""
    return run_flow(server, build_flow(plan, runtime), plan, **parameters)


def run_flow(server: PrefectServer, flow: Any, plan: Plan, **parameters: Any) -> Ran:
    """Run a compiled flow in this process and read the run back."""
    state = asyncio.run(flow(**parameters, return_state=True))
    return read_run(server, state.state_details.flow_run_id, plan)


def run_again(server: PrefectServer, ran: Ran, flow: Any, plan: Plan) -> Ran:
    """Retry an ended run, as Prefect's UI asks for it and a worker does it, and read it back."""
    with server.client() as client:
        client.set_flow_run_state(ran.run.id, Scheduled(name="AwaitingRetry"), force=True)
        run = client.read_flow_run(ran.run.id)
    asyncio.run(run_flow_async(flow, flow_run=run, parameters=run.parameters, return_type="state"))
    return read_run(server, run.id, plan)


def run_spec(server: PrefectServer, spec: Path, environment: str = "staging", **parameters: Any) -> Ran:
    """Run a spec in this process as `flowmill.compile` would have it, and read the run back."""
    return run_plan(server, plan_of(spec, environment), local_runtime(spec), **parameters)


def read_run(server: PrefectServer, run_id: UUID, plan: Plan) -> Ran:
    """What the server keeps of an ended run, once all of it has arrived there."""
    of_run = FlowRunFilter(id=FlowRunFilterId(any_=[run_id]))
    of_log = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run_id]))
    steps = _all_steps(plan)
    with server.client() as client:

        def read() -> Ran | None:
            run = client.read_flow_run(run_id)
            named = {task.name: task for task in client.read_task_runs(flow_run_filter=of_run)}
            tasks = {step.id: named[step.name or step.id] for step in steps if (step.name or step.id) in named}
            logs = client.read_logs(of_log, sort=LogSort.TIMESTAMP_ASC)
            return Ran(run, tasks, logs, named) if _is_whole(run, tasks, named, logs, plan) else None

        ran: Ran = eventually(read)
        return ran


def _all_steps(plan: Plan) -> tuple[StepPlan, ...]:
    return tuple(step for steps in plan.groups.values() for step in steps)


def _is_whole(
    run: FlowRun, tasks: Mapping[str, TaskRun], named: Mapping[str, TaskRun], logs: list[Log], plan: Plan
) -> bool:
    if run.state is None or not run.state.is_final():
        return False
    handlers = plan.on_failure if run.state.is_failed() else plan.on_success
    # How many elements there are is not known here: a test that looks at them waits for them.
    expected = {step.id for step in (*plan.steps, *handlers, *plan.finally_) if step.elements is None}
    if not all(task.state and task.state.is_final() for task in named.values()):
        return False
    ended = tasks.keys()
    # Prefect's own last line; whatever a step has said was said before it.
    return ended >= expected and any("Finished in state" in log.message and not log.task_run_id for log in logs)


Finished = subprocess.CompletedProcess[str]


def flowmill(*arguments: object, cwd: Path, **environ: str) -> Finished:
    """Run the installed command and wait for it; what it writes is a pipe, not a terminal."""
    return subprocess.run(
        [FLOWMILL, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def flowmill_here(*arguments: object, cwd: Path, api_url: str) -> Finished:
    """The same within this process, which spares a second of imports; not for two threads at once.

    Args:
        api_url: where the Prefect server is.
    """
    words = [str(it) for it in arguments]
    with temporary_settings({PREFECT_API_URL: api_url}), chdir(cwd):
        ran = CliRunner().invoke(cli, words, standalone_mode=False)
    if isinstance(ran.exception, ClickException):
        said = f"{ran.stderr}Error: {ran.exception.format_message()}\n"
        return Finished(words, ran.exception.exit_code, ran.stdout, said)
    if ran.exception:
        raise ran.exception
    return Finished(words, ran.return_value, ran.stdout, ran.stderr)


def run_id(output: str) -> UUID:
    """The id of the run, as the first line of `flowmill run` tells it."""
    found = re.search(r", run ([0-9a-f-]{36})$", output, re.MULTILINE)
    assert found, output
    return UUID(found[1])


def flow_runs(server: PrefectServer, name: str) -> int:
    """How many runs of a flow the server knows."""
    with server.client() as client:
        return len(client.read_flow_runs(flow_filter=FlowFilter(name=FlowFilterName(any_=[name]))))
