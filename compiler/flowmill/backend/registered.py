"""The flow of a run that a worker carries out: compiled there, and held against what was registered."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from inspect import Parameter, Signature
from pathlib import Path
from typing import Any

from prefect import Flow
from prefect.logging import get_run_logger
from prefect.runtime import flow_run as current
from prefect.states import Failed

from flowmill import SpecError, __version__
from flowmill.backend.flow import build_flow
from flowmill.backend.services import of_a_worker
from flowmill.local.runtime import local_runtime
from flowmill.local.select import plan_of
from flowmill.planning.digest import plan_digest
from flowmill.planning.plan import Plan


@dataclass(frozen=True)
class Registered:
    """What was registered.

    Attributes:
        flow: `<project>.<flow>`.
        digest: of its plan.
        follows: whether whatever the branch holds is to run.
    """

    flow: str
    environment: str
    digest: str
    follows: bool

    @property
    def spec(self) -> Path:
        """Its spec, in the working directory."""
        project, _, name = self.flow.partition(".")
        short = Path(project) / f"{name}.yml"
        return short if short.exists() else short.with_suffix(".yaml")


def registered_flow(registered: Registered) -> Flow[Any, Any]:
    """The flow of a deployment, or one that fails and says why the specs do not give what was registered.

    With a pinned commit the plan must be the registered one. A branch that is followed runs as it is, whole.
    """
    spec = registered.spec
    try:
        plan = plan_of(spec, registered.environment)
    except (SpecError, KeyError, OSError) as error:
        reason = f"{spec}{_at_commit()} cannot be run in {registered.environment}: {_first_line(error)}"
        return _failing(registered.flow, reason)
    if plan_digest(plan) != registered.digest and not registered.follows:
        return _failing(registered.flow, _mismatch(plan, registered))
    opening = _opening(plan, registered) if registered.follows else None
    return build_flow(plan, of_a_worker(local_runtime(spec)), opening)


def _mismatch(plan: Plan, registered: Registered) -> str:
    return (
        f"the plan that flowmill {__version__} makes here of {registered.spec}{_at_commit()} ({plan_digest(plan)}) "
        f"is not the one that was registered ({registered.digest}), so nothing was run; "
        f"`flowmill register --env {plan.environment}` registers it as it is"
    )


def _opening(plan: Plan, registered: Registered) -> Callable[[], None]:
    is_same = plan_digest(plan) == registered.digest
    same = "as registered" if is_same else f"which differs from what was registered ({registered.digest})"
    line = f"the branch{_at_commit()}: plan {plan_digest(plan)}, {same}"
    return lambda: get_run_logger().info("%s", line)


def _failing(name: str, reason: str) -> Flow[Any, Any]:
    """A flow that takes the parameters of the run that is going on, whatever they are, and fails."""

    async def body(**parameters: Any) -> Any:
        get_run_logger().error("%s", reason)
        return Failed(message=reason)

    given = [Parameter(it, Parameter.KEYWORD_ONLY) for it in current.parameters]
    body.__signature__ = Signature(given)  # type: ignore[attr-defined]  # functions have no such field in typeshed
    return Flow(body, name=name, validate_parameters=False, persist_result=False)


def _at_commit() -> str:
    """The commit that the workspace is at, in words; nothing outside of git."""
    command = ["git", "log", "-1", "--format=%h of %D"]
    asked = subprocess.run(command, capture_output=True, text=True, check=False)
    commit, _, names = asked.stdout.strip().partition(" of ")
    return f" at {commit}{f' ({names})' if names else ''}" if asked.returncode == 0 else ""


def _first_line(error: Exception) -> str:
    return str(error.args[0] if isinstance(error, KeyError) else error).partition("\n")[0]
