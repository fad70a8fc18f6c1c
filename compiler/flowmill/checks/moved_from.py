"""A flow has moved only when its former place is empty."""

from collections.abc import Iterator

from flowmill.diagnostics import Finding
from flowmill.elaborating.bound_flow import BoundFlow

CODES = {"moved-from-existing": "`moved_from` names the flow itself, or one that is still there."}


def check(flow: BoundFlow) -> Iterator[Finding]:
    former = flow.spec.moved_from if "moved_from" not in flow.broken else None
    if former is None:
        return
    project, _, name = former.partition(".")
    folder = flow.context.folder.parent / project
    if any((folder / f"{name}{ending}").exists() for ending in (".yaml", ".yml")):
        itself = former == f"{flow.context.project_name}.{flow.context.flow_name}"
        message = f"`{former}` is this flow itself" if itself else f"the flow `{former}` is still there"
        yield Finding(("moved_from",), "moved-from-existing", message, "name where this flow was before, or remove it")
