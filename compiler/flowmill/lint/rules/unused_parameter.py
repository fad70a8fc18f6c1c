"""A flow has a parameter that none of its expressions uses.

Whoever starts a run sees it in Prefect's form, sets it, and gets the same run as without. Mostly the step that used it
is gone, or has the value written out.

Remove it, or use it: `${{ parameters.name }}`. Only what the flow's own file declares is looked at: parameters that it
inherits from `defaults` or a template are for all flows.
"""

from collections.abc import Iterator

from flowmill.diagnostics import Finding, Severity
from flowmill.lint.names_used import unused
from flowmill.lint.subjects import LintedFlow
from flowmill.spec.lint import RuleOptions

SEVERITY = Severity.WARNING
SUMMARY = "A parameter of a flow is used by none of its expressions, so setting it changes nothing."


def check(flow: LintedFlow, options: RuleOptions) -> Iterator[Finding]:
    for route in unused(flow, "parameters"):
        message = f"no expression uses `parameters.{route[1]}`: to set it changes nothing"
        yield Finding(route, "unused-parameter", message, "remove it, or use it where it is meant", at_key=True)
