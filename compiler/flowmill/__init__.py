"""flowmill: scheduled jobs as YAML specs, proved and compiled into Prefect flows."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prefect import Flow

    from flowmill.diagnostics import Diagnostic
    from flowmill.running.runtime import Runtime

__version__ = "0.1.0"


class SpecError(Exception):
    """A spec is wrong; `diagnostics` holds every problem with its place."""

    def __init__(self, diagnostics: "tuple[Diagnostic, ...]") -> None:
        super().__init__("\n".join(f"{d.span.path}:{d.span.line}:{d.span.column}: {d.message}" for d in diagnostics))
        self.diagnostics = diagnostics


def compile(spec: str | Path, environment: str, runtime: "Runtime | None" = None) -> "Flow[Any, Any]":
    """The Prefect flow of a spec in one environment.

    Args:
        spec: path of the spec file; its workspace is found around it.
        environment: one that the spec names.
        runtime: clock, secrets, outbox, state; the default delivers messages, reads local secrets and then Prefect's,
            shares mutexes with other processes, and keeps the times of last successes on the Prefect server.

    Raises:
        SpecError: the spec, or what it inherits, is wrong.
        KeyError: the spec does not name the environment.
    """
    from flowmill.backend.flow import build_flow
    from flowmill.backend.services import of_a_worker
    from flowmill.local.runtime import local_runtime
    from flowmill.local.select import plan_of

    path = Path(spec)
    return build_flow(plan_of(path, environment), runtime or of_a_worker(local_runtime(path)))
