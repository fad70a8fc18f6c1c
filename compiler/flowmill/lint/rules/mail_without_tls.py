"""A mail goes to its server without encryption, so everybody on the way can read and change it.

`security: none` sends the message, its attachments and all addresses in plain text, and nothing proves that the
server is the right one. A password is never sent like that; the mail is.

Use `starttls` or `tls`, with `ca_file` where the server's certificate is of your own authority. A server on the same
machine (`localhost`) is left alone.
"""

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

from flowmill.diagnostics import Finding, Severity
from flowmill.lint.subjects import LintedFlow
from flowmill.spec.lint import RuleOptions

SEVERITY = Severity.WARNING
SUMMARY = "A mail is sent without encryption to a server on another machine."


def check(flow: LintedFlow, options: RuleOptions) -> Iterator[Finding]:
    for step in flow.bound.all_steps():
        server: Any = getattr(step.model, "smtp", None)
        if getattr(server, "encryption", None) == "none" and not _is_here(str(server.host)):
            message = f"`{step.id}` sends its mail unencrypted to `{server.host}`"
            yield Finding((*step.route, "smtp", "security"), "mail-without-tls", message, "use `starttls` or `tls`")


def _is_here(host: str) -> bool:
    """Whether it is this machine; one that only the run knows counts as that."""
    if host == "localhost" or "${{" in host:
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
