"""A flow declares a value in `vars` that none of its expressions uses.

Mostly it is left over from a step that is gone, or its name is written out where it should be used: then a change of
the value changes nothing, and whoever makes it believes otherwise.

Remove it, or use it: `${{ vars.name }}`. Only what the flow's own file declares is looked at. What it inherits from
`defaults` or a template is for all flows, and what it sets for the expressions of its template is used there.
"""

from collections.abc import Iterator

from flowmill.diagnostics import Finding, Severity
from flowmill.lint.names_used import unused
from flowmill.lint.subjects import LintedFlow
from flowmill.spec.lint import RuleOptions

SEVERITY = Severity.WARNING
SUMMARY = "A value in `vars` of a flow is used by none of its expressions."


def check(flow: LintedFlow, options: RuleOptions) -> Iterator[Finding]:
    for route in unused(flow, "vars"):
        message = f"no expression uses `vars.{route[1]}`"
        yield Finding(route, "unused-var", message, "remove it, or use it where it is meant", at_key=True)
