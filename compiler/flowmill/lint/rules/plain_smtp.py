"""A mail goes to its server without encryption, so everybody on the way can read and change it.

`security: none` sends recipients, subject and text as they are. A password is never sent that way, but what stands
in the mail is. Only within one machine nobody is on the way; a server of the same company is another machine.

Leave `security` out, which is `starttls`, or write `tls`. If the server's certificate is the company's own, name it
with `ca_file`.
"""

from collections.abc import Iterator
from ipaddress import ip_address

from flowmill.diagnostics import Finding, Severity
from flowmill.lint.subjects import LintedFlow
from flowmill.spec_lint import RuleOptions
from flowmill_tasks._email_settings import SmtpSettings
from flowmill_tasks.fields import Unrendered

SEVERITY = Severity.WARNING
SUMMARY = "A mail goes to its server without encryption."


def check(flow: LintedFlow, options: RuleOptions) -> Iterator[Finding]:
    for step in flow.bound.all_steps():
        smtp = getattr(step.model, "smtp", None)
        if isinstance(smtp, SmtpSettings) and smtp.security == "none" and not _is_this_machine(smtp.host):
            message = f"`{step.id}` sends its mail to `{smtp.host}` without encryption"
            yield Finding((*step.route, "smtp", "security"), "plain-smtp", message, "leave `security` out")


def _is_this_machine(host: str) -> bool:
    if isinstance(host, Unrendered) or host == "localhost":
        return True  # or nobody knows yet
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
