"""The pull steps of our deployments, which Prefect runs on the worker before the flow."""

from pathlib import Path
from typing import Any


def enter(*, folder: str, **_: Any) -> dict[str, str]:
    """What else the step is told is for whoever reads the deployment: `flowmill plan`, and people.

    Returns:
        `directory`, which Prefect makes the working directory of the run's process.
    """
    return {"directory": str(Path(folder).resolve())}


def token(*, block: str) -> dict[str, str]:
    """See that the block with the token of a private repository is there, before Prefect fetches from that."""
    from flowmill.backend.repository_token import look_for_token

    look_for_token(block)
    return {}
