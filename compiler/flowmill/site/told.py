"""Who is told when a flow fails: the mails and Slack messages that are sent then."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from flowmill.expressions.language import Parsed, parse
from flowmill.lint.truth import Known, possible_values
from flowmill.planning.ancestors import ancestors
from flowmill.planning.plan import Plan, StepPlan
from flowmill.site.shown import Shown

_RECIPIENTS = ("to", "cc", "bcc")
_ONE_SECRET = re.compile(r"\$\{\{\s*secrets\.([\w.-]+)\s*\}\}")


@dataclass(frozen=True)
class Told:
    """One message.

    Attributes:
        medium: how it is sent: `mail` or `Slack`.
        whom: addresses, or a channel; expressions stay as they are written.
        step: the id of the step that sends it.
        when: what starts that step, in words.
    """

    medium: str
    whom: tuple[str, ...]
    step: str
    when: str


def told(plan: Plan, shown: Shown) -> list[Told]:
    """Every message that a failure of the flow sends, in the order of the spec; empty where nobody is told."""
    return [
        Told(medium, whom, step.id, when)
        for group, number, step, when in _after_failure(plan, shown)
        for medium, whom in _message(step, shown, (group, number))
    ]


def _after_failure(plan: Plan, shown: Shown) -> Iterator[tuple[str, int, StepPlan, str]]:
    """The steps that run after a failure, with where they stand and why they run."""
    before = ancestors(plan)
    can_fail = {step.id for step in plan.steps if not step.continue_on_error}
    for number, step in enumerate(plan.steps):
        if before[step.id] & can_fail and _asks_for_status(step) and _can_be_true(step, plan):
            yield "steps", number, step, f"if {shown.text('steps', number, 'if')}"
    for group, when in (("on_failure", "after a failure"), ("finally", "after every run")):
        for number, step in enumerate(plan.groups[group]):
            if not step.condition:
                yield group, number, step, when
            elif _can_be_true(step, plan):
                yield group, number, step, f"{when}, if {shown.text(group, number, 'if')}"


def _asks_for_status(step: StepPlan) -> bool:
    """Whether a step of the flow runs after a failure at all: one that does not ask waits for a success."""
    parsed = parse(step.condition) if step.condition else None
    return isinstance(parsed, Parsed) and parsed.asks_for_status


def _can_be_true(step: StepPlan, plan: Plan) -> bool:
    """Whether the condition of a step can be true when something before it has failed."""
    parameters = {it.name: it for it in plan.parameters}
    after_failure = Known(plan.constants, parameters, can_fail=True, can_succeed=False)
    return True in possible_values(step.condition or "", after_failure)


def _message(step: StepPlan, shown: Shown, route: tuple[str, int]) -> Iterator[tuple[str, tuple[str, ...]]]:
    if step.type == "email":
        yield "mail", tuple(text for key in _RECIPIENTS for text in shown.texts(*route, key))
    elif step.type == "slack":
        channel = shown.text(*route, "channel")
        yield "Slack", (channel or _behind(shown.text(*route, "webhook")),)


def _behind(webhook: str) -> str:
    """The channel that only the address of a webhook decides."""
    secret = _ONE_SECRET.fullmatch(webhook)
    return f"the channel of the webhook {secret[1]}" if secret else "the channel of its webhook"
