"""A step needs another one that it waits for in any case, because something else that it needs does.

With `load` needing `extract`, a step that needs `[extract, load]` waits for the same as one that needs `load`. The
longer list hides which steps really depend on each other, and has to be kept up when the flow changes. Skipping and
failing are no reason for it: a condition looks at all steps that come before, however far.

Take it out of the list.
"""

from collections.abc import Iterator

from flowmill.diagnostics import Finding, Severity
from flowmill.elaborating.bound_flow import BoundStep
from flowmill.lint.subjects import LintedFlow
from flowmill.spec.lint import RuleOptions

SEVERITY = Severity.INFO
SUMMARY = "`needs` names a step that another one in it waits for anyway."


def check(flow: LintedFlow, options: RuleOptions) -> Iterator[Finding]:
    for step in flow.bound.steps:
        for index, need in enumerate(step.keys.needs or ()):
            through = _through(need, step, flow)
            if through:
                message = f"`{step.id}` waits for `{need}` in any case, because it needs `{through}`"
                yield Finding((*step.route, "needs", index), "redundant-need", message, f"remove `{need}`")


def _through(need: str, step: BoundStep, flow: LintedFlow) -> str | None:
    """Another of the step's needs that comes after this one."""
    others = (other for other in step.keys.needs or () if other != need)
    return next((other for other in others if flow.bound.ends_before(need, other)), None)
