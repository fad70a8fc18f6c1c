"""`run_name`: the name of a run in Prefect, given when the run starts."""

from uuid import UUID

import httpx
from prefect.client.orchestration import get_client
from prefect.logging import get_run_logger

from flowmill.expressions.language import ExpressionError
from flowmill.running.naming import name_from
from flowmill.running.run import Run


async def give_name(run: Run) -> str:
    """Name the current run as its plan says, and return the name; empty where it keeps the one that Prefect found.

    A name is no reason to fail: what goes wrong is a warning in the log.
    """
    try:
        name = name_from(run.plan.run_name, run)
        if name:
            async with get_client() as client:
                await client.update_flow_run(UUID(run.facts.id), name=name)
    except ExpressionError as error:
        get_run_logger().warning("the run keeps its random name: `run_name`: %s", error)
        return ""
    except httpx.HTTPError as error:
        get_run_logger().warning("the run keeps its random name: Prefect does not take one (%s)", type(error).__name__)
        return ""
    return name
