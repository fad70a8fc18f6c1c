"""What a run did against what its test expects: a finding at each expectation that is not met."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from flowmill.counted import counted
from flowmill.diagnostics import Finding, Route
from flowmill.running.outcome import Outcome, State
from flowmill.spec.bind import keys_of
from flowmill.testing.outbox import Message
from flowmill.testing.spec import Expect, FlowTest, StepWanted
from flowmill.testing.trial import Trial, results_of
from flowmill.testing.values import agrees, in_words, is_pattern, lines

CODE = "test-failed"
_NOT_STARTED = (State.SKIPPED, State.NOT_SELECTED)
_TEXTS = frozenset({"message", "stdout", "text", "html"})
"""Texts whose line breaks at the end do not count: a block in YAML ends with one, and programs differ."""


def failures(test: FlowTest, trial: Trial, route: Route, zone: ZoneInfo) -> Iterator[Finding]:
    """Everything that is not as the test at `route` expects; `zone` is the flow's, for times that name none."""
    yield from _missing_secrets(test, trial, route)
    expect, place = test.expect, (*route, "expect")
    yield from _run(expect, trial, place)
    if expect.order is not None:
        order = [attempt.label for attempt in trial.attempts]
        yield from _compared("the order", expect.order, order, (*place, "order"))
    for label, wanted in expect.steps.items():
        yield from _step(label, wanted, trial, (*place, "steps", label))
    yield from _messages("mail", expect.mails, trial.mails, (*place, "mails"))
    yield from _messages("Slack message", expect.slack, trial.slack, (*place, "slack"))
    if "last_success" in expect.model_fields_set:
        yield from _last_success(expect.last_success, trial.last_success, (*place, "last_success"), zone)


def _last_success(wanted: datetime | None, kept: datetime | None, place: Route, zone: ZoneInfo) -> Iterator[Finding]:
    expected, actual = (_clock(time, zone) if time else "nothing" for time in (wanted, kept))
    if expected != actual:
        details = (f"- {expected}", f"+ {actual}")
        yield Finding(place, CODE, "the last success that is kept differs", details=details)


def _clock(time: datetime, zone: ZoneInfo) -> str:
    """A moment, on the clocks of the flow: the same for the same moment."""
    return (time.astimezone(zone) if time.tzinfo else time.replace(tzinfo=zone)).isoformat()


def _missing_secrets(test: FlowTest, trial: Trial, route: Route) -> Iterator[Finding]:
    for name in trial.missing_secrets:
        message = f"the flow asks for the secret `{name}`, which the test does not give"
        hint = f"add `{name}` under `secrets` of the test"
        given = "secrets" in test.model_fields_set
        yield Finding((*route, "secrets" if given else "name"), CODE, message, hint, at_key=given)


def _run(expect: Expect, trial: Trial, place: Route) -> Iterator[Finding]:
    if expect.state is not None and expect.state != trial.state:
        details = (f"- {expect.state}", f"+ {trial.state}: {trial.message}")
        yield Finding((*place, "state"), CODE, "the state of the run differs", details=details)
    if expect.message is not None:
        yield from _compared("the message of the run", expect.message, trial.message, (*place, "message"))


def _compared(what: str, expected: Any, actual: Any, place: Route) -> Iterator[Finding]:
    if place[-1] in _TEXTS:
        expected, actual = _trimmed(expected), _trimmed(actual)
    if not agrees(expected, actual):
        yield Finding(place, CODE, f"{what} {_differs(place[-1])}", details=lines(expected, actual))


def _differs(key: str | int) -> str:
    return "differ" if str(key).endswith("s") else "differs"


def _trimmed(value: Any) -> Any:
    return value.rstrip("\r\n") if isinstance(value, str) else value


def _step(label: str, wanted: StepWanted, trial: Trial, place: Route) -> Iterator[Finding]:
    outcome = trial.ended.get(label)
    if outcome is None:
        yield _nothing_known(label, trial, place)
        return
    given = {key: value for key, value in given_keys(wanted).items() if value is not None}
    state = given.pop("state", outcome.state.value)
    if state != outcome.state:
        yield _other_state(label, str(state), outcome, place)
    attempt = trial.last_attempt(label)
    more = {} if attempt is None else {**(attempt.recorded or {}), "env": attempt.env}
    if outcome.state not in _NOT_STARTED:
        yield from _keys(label, given, {**_facts(outcome), **more}, place)
    elif state == outcome.state:
        yield from _keys(label, given, _about_the_end(outcome), place)


def _nothing_known(label: str, trial: Trial, place: Route) -> Finding:
    step = label.partition("[")[0]
    others = [other for other in trial.ended if other.startswith(f"{step}[")]
    hint = f"there were: {', '.join(others)}" if others else ""
    return Finding(place, CODE, f"`{label}` was not part of the run", hint, at_key=True)


def _other_state(label: str, expected: str, outcome: Outcome, place: Route) -> Finding:
    """The place is that of the key, or of the state that stands alone."""
    message = f"the state of `{label}` differs"
    details = (f"- {expected}", f"+ {_with_message(outcome)}")
    return Finding((*place, "state"), CODE, message, details=details)


def _with_message(outcome: Outcome) -> str:
    return f"{outcome.state.value}: {outcome.message}" if outcome.message else outcome.state.value


def _about_the_end(outcome: Outcome) -> dict[str, Any]:
    """What there is to say of a step that was not started."""
    return {"attempts": 0, "message": outcome.message}


def _facts(outcome: Outcome) -> dict[str, Any]:
    results = results_of(outcome)
    return {**outcome.fields(), **({"elements": len(results)} if results is not None else {})}


def _keys(label: str, given: Mapping[str, Any], actual: Mapping[str, Any], place: Route) -> Iterator[Finding]:
    for key, expected in given.items():
        if key in actual:
            yield from _compared(f"{key} of `{label}`", expected, actual[key], (*place, key))
        else:
            details = (f"+ {actual['message']}",) if actual.get("message") else ()
            yield Finding((*place, key), CODE, f"`{label}` has no {key}", details=details, at_key=True)


def _messages(noun: str, wanted: Any, actual: list[Message], place: Route) -> Iterator[Finding]:
    """Each message against that in its place, then those that are missing or too many."""
    if wanted is None:
        return
    for number, (one, message) in enumerate(zip(wanted, actual, strict=False)):
        for key, expected in given_keys(one).items():
            yield from _compared(f"{key} of {noun} {number + 1}", expected, message.get(key), (*place, number, key))
    if len(wanted) != len(actual):
        what = f"expected {counted(len(wanted), noun)}, got {len(actual)}"
        yield Finding(place, CODE, what, details=tuple(_summaries(wanted, actual)), at_key=True)


def _summaries(wanted: list[Any], actual: list[Message]) -> Iterator[str]:
    """A line for each message that there should have been, or should not."""
    for one in wanted[len(actual) :]:
        yield f"- {_summary(given_keys(one))}"
    for message in actual[len(wanted) :]:
        yield f"+ {_summary(message)}"


def _summary(message: Mapping[str, Any]) -> str:
    title = message.get("subject") or message.get("text") or "(no text)"
    first = in_words(title) if is_pattern(title) else str(title).strip().partition("\n")[0]
    to = message.get("to")
    return f"{first} (to {', '.join(to)})" if isinstance(to, list) and to else first


def given_keys(wanted: BaseModel) -> dict[str, Any]:
    """The keys that a test gives, as it spells them."""
    spelt = dict(zip(type(wanted).model_fields, keys_of(type(wanted)), strict=True))
    return {spelt.get(name, name): getattr(wanted, name) for name in wanted.model_fields_set}
