"""A secret in a mail, in a message to Slack, in a document or in the name of a step has no reader.

Values of secrets are masked there: people read `***`. Where a part of it is not recognised any more, because a
filter has cut or changed it, they read a part of the secret; and a mailbox keeps it for years.

Say what is meant without the value: the name of the account, or where to find it. Passwords and addresses that a
step needs to deliver the message have keys of their own (`smtp`, `webhook`, `token`), which nobody reads.
"""

from collections.abc import Iterator

from flowmill.diagnostics import Finding, Severity
from flowmill.elaborating.bound_flow import BoundFlow, BoundStep
from flowmill.lint.subjects import LintedFlow
from flowmill.secrets.led_to import secrets_led_to
from flowmill.spec.lint import RuleOptions

SEVERITY = Severity.WARNING
SUMMARY = "A secret is put into a mail, a message, a document or a step's name, where it is masked at best."


def check(flow: LintedFlow, options: RuleOptions) -> Iterator[Finding]:
    for step in flow.bound.all_steps():
        yield from _of_step(flow.bound, step)


def _of_step(flow: BoundFlow, step: BoundStep) -> Iterator[Finding]:
    read_by_people = {"name", *(step.model.message_fields if step.model else ())}
    written = {key: value for key, value in step.written.items() if key in read_by_people}
    for it in secrets_led_to(flow, written, step.route):
        message = it.told(f"`{it.secret}` has no place in `{it.place[2]}`, which people read")
        yield Finding(it.place, "secret-in-message", message, "say what is meant without its value", part=it.part)
