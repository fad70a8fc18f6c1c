"""Files that a step refers to exist and lie in the project."""

from collections.abc import Iterator
from pathlib import Path

from flowmill.diagnostics import Finding
from flowmill.elaborating.bound_flow import BoundFlow

CODES = {
    "bad-file": "A file that a step refers to is missing, cannot be used, or lies outside of the project's folder."
}


def check(flow: BoundFlow) -> Iterator[Finding]:
    folder: Path = flow.context.folder
    for step in flow.all_steps():
        for route, message in step.model.problems(folder, folder) if step.model else []:
            yield Finding((*step.route, *route), "bad-file", message)
