"""Documents of a run as Prefect's Markdown artifacts."""

import asyncio
from dataclasses import replace

from prefect.artifacts import acreate_markdown_artifact

from flowmill.running.runtime import Runtime
from flowmill_tasks.base import Document


def publish(document: Document) -> str:
    """Make an artifact of the task run that this is called in, and give its id."""
    made = acreate_markdown_artifact(document.markdown, key=document.key, description=document.title)
    # A step works in a thread, where no event loop runs; the flow's own is busy with other steps.
    return str(asyncio.run(made))


def with_artifacts(runtime: Runtime) -> Runtime:
    """The runtime with documents published on the server of the run."""
    return replace(runtime, publish=publish)
