"""A local run on Prefect: on the server that is configured, or else on the one that Prefect embeds."""

import asyncio
import os
from typing import Any

from flowmill.plan import Plan
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


def run_here(plan: Plan, runtime: Runtime, parameters: dict[str, Any]) -> bool:
    """Run the flow in this process and return whether it succeeded; Prefect keeps its states and logs."""
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    from flowmill.backend.flow import build_flow

    flow: Any = build_flow(plan, runtime)
    state = asyncio.run(flow(**parameters, return_state=True))
    return bool(state.is_completed())
