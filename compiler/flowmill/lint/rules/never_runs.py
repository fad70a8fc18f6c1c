"""A step whose condition can never be true does nothing, and looks as if it did.

A condition is never true where its parts contradict each other (`success() and failure()`), where it asks for a
failure although nothing before it can fail, where it compares a parameter with a value that its `choices`, `minimum`
or `maximum` exclude, or where all its values are known before the run. The steps of `on_retry` never run where no
step of the flow has `retries`.

Mend the condition, or take the step out. One that is switched off for a while is better commented out with the
reason. What a condition says of `environment`, `vars` or `server` is not judged where the flow has several
environments, since it may be meant for another one.
"""

from collections.abc import Iterator

from flowmill.diagnostics import Finding, Severity
from flowmill.lint.conditions import conditions, possible
from flowmill.lint.subjects import LintedFlow
from flowmill.spec.lint import RuleOptions

SEVERITY = Severity.WARNING
SUMMARY = "A step can never run: its condition is false in every run, or nothing before it can fail or be retried."


def check(flow: LintedFlow, options: RuleOptions) -> Iterator[Finding]:
    for step in conditions(flow):
        if possible(flow, step) == {False}:
            message = f"`{step.id}` never runs: `{step.keys.if_}` is false in every run"
            yield Finding((*step.route, "if"), "never-runs", message, "mend the condition, or remove the step")
    is_retried = any(step.retries for step in flow.plan.steps)
    if flow.plan.on_retry and not is_retried and "on_retry" in flow.bound.context.own_keys:
        message = "these steps never run: no step of the flow has `retries`"
        yield Finding(("on_retry",), "never-runs", message, "give a step `retries`, or remove them", at_key=True)
