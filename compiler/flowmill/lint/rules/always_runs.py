"""A condition that is true in every run says nothing, and whoever reads it looks for what it guards.

`success() or failure()` is true whatever happened before, and is better written `always()`. A comparison whose values
are all known before the run decides nothing. On the first step of a flow `success()` is always true, since nothing
comes before it that could fail.

Remove the condition, or write `always()` where the step is meant to run after a failure as well. What a condition
says of `environment`, `vars` or `server` is not judged where the flow has several environments.
"""

from collections.abc import Iterator

from flowmill.diagnostics import Finding, Severity
from flowmill.lint.conditions import conditions, possible
from flowmill.lint.subjects import LintedFlow
from flowmill.spec.lint import RuleOptions

SEVERITY = Severity.INFO
SUMMARY = "A condition is true in every run, so it guards nothing."
_PLAIN = ("always()", "true")
"""How people say on purpose that a step runs in any case."""


def check(flow: LintedFlow, options: RuleOptions) -> Iterator[Finding]:
    for step in conditions(flow):
        source = step.keys.if_ or ""
        if source.strip() not in _PLAIN and possible(flow, step) == {True}:
            hint = "write `always()` if it is to run after a failure as well; otherwise remove the condition"
            message = f"the condition of `{step.id}` is true in every run"
            yield Finding((*step.route, "if"), "always-runs", message, hint)
