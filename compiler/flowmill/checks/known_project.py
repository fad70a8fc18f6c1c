"""`project` is the folder that the flow lies in."""

from collections.abc import Iterator

from flowmill.diagnostics import Finding
from flowmill.elaborating.bound_flow import BoundFlow

CODES = {"wrong-project": "`project` differs from the name of the folder that the spec lies in."}


def check(flow: BoundFlow) -> Iterator[Finding]:
    folder = flow.context.project_name
    if "project" not in flow.broken and flow.spec.project != folder:
        message = f"`project` is `{flow.spec.project}`, but the spec lies in the folder `{folder}`"
        yield Finding(
            ("project",),
            "wrong-project",
            message,
            f"write `project: {folder}`, or move the file to {flow.spec.project}/",
        )
