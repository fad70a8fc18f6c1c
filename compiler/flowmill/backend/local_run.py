"""A local run on Prefect: on the server that is configured, or else on the one that Prefect embeds."""

import asyncio
import os
from typing import Any

import httpx

from flowmill.planning.plan import Plan
from flowmill.running.runtime import Runtime

_SETTINGS = {
    # The embedded server migrates its database when it starts for the first time, which takes longer than
    # Prefect's default of 20 s on a small or busy machine.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    # Prefect's own lines would say everything twice; its API still gets them.
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
}


class NoServer(Exception):
    """Prefect's API cannot be reached; the message says what to do."""


def run_here(plan: Plan, runtime: Runtime, parameters: dict[str, Any]) -> bool:
    """Run the flow in this process and return whether it succeeded; Prefect keeps its states and logs.

    Raises:
        NoServer: neither the configured server nor an embedded one answers.
        SystemExit: the process was told to end (SIGTERM).
    """
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    from prefect.exceptions import TerminationSignal

    from flowmill.backend.address import address
    from flowmill.backend.flow import build_flow
    from flowmill.backend.services import of_a_local_run

    flow: Any = build_flow(plan, of_a_local_run(runtime))
    try:
        state = asyncio.run(flow(**parameters, return_state=True))
    except httpx.HTTPStatusError as error:
        raise NoServer(f"the Prefect server at {address()} answers {error.response.status_code}") from None
    except (httpx.TransportError, RuntimeError) as error:
        raise _no_server(error) from None
    except TerminationSignal as ended:
        # Prefect has kept the state, and the steps have ended; by the shells' convention this is the exit code.
        raise SystemExit(128 + ended.signal) from None
    return bool(state.is_completed())


def _no_server(error: Exception) -> Exception:
    """The error in a user's words if it is about the server; Prefect tells such ones only by their text."""
    from flowmill.backend.address import address

    text = str(error)
    if "ephemeral" in text:
        return NoServer("Prefect's embedded server did not start; `prefect server start` shows why")
    if isinstance(error, httpx.TransportError) or "reach API" in text:
        return NoServer(f"no Prefect server answers at {address()}: start it, or unset PREFECT_API_URL")
    return NoServer(text) if "incompatible versions" in text else error
