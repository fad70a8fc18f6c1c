"""The pull step of our deployments: it has Prefect change into the workspace before a run."""

from pathlib import Path
from typing import Any


def enter(*, folder: str, **_: Any) -> dict[str, str]:
    """What else the step is told is for whoever reads the deployment: `flowmill plan`, and people.

    Returns:
        `directory`, which Prefect makes the working directory of the run's process.
    """
    return {"directory": str(Path(folder).resolve())}
