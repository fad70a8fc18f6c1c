"""`secrets` of `flowmill.yaml` lists a secret that nothing uses.

It is still stored on every server, and still opens what it opens, though no flow needs it. Or it is used under
another name, and the list says something that is not so.

Remove it from the list, and from the servers: `prefect block delete`. Secrets that `defaults` or `repository_token`
name count as used. Where a flow works out the name of a secret in its run, any may be used, and nothing is said.
"""

from collections.abc import Iterator

from flowmill.diagnostics import Finding, Severity
from flowmill.lint.secrets_of_fleet import secrets_used
from flowmill.lint.subjects import Fleet, Placed
from flowmill.spec.lint import RuleOptions

SEVERITY = Severity.WARNING
SUMMARY = "flowmill.yaml lists a secret that nothing uses."


def check_fleet(fleet: Fleet, options: RuleOptions) -> Iterator[Placed]:
    declared = fleet.workspace.secrets or {}
    used = secrets_used(fleet) if declared else None
    for name in declared if used is not None else ():
        if name not in (used or ()):
            message, hint = f"nothing uses the secret `{name}`", "remove it, here and from the servers"
            yield Placed(fleet.tree, Finding(("secrets", name), "unused-secret", message, hint, at_key=True))
