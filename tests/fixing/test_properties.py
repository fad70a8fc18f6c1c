"""What holds of every fix, on specs that are spoilt at random: it comes to an end, and touches nothing else."""

import re
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixing.workspace import fixed, text_of

SPEC = """# nightly trips
project: demo   # the folder
environment: [staging, production]

timezone: Europe/Berlin
schedules:
  - {id: early, cron: "15 6 * * *"}   # before work
parameters:
  hours_back:
    type: integer
    default: 24      # a day
steps:
  - id: extract
    type: script
    command: [echo, "${{ parameters.hours_back }}"]
    retries: 3       # the network
    retry_delay: 5m
  # then
  - id: publish
    type: script
    needs: extract
    command: |
      # no comment
      echo done
    working_dir: .
    continue_on_error: true
on_failure:
  - {type: script, command: echo failed, timeout: 20m}
"""
KEYS = (
    *("environment", "timezone", "schedules", "parameters", "default", "steps", "command", "retries"),
    *("retry_delay", "needs", "working_dir", "continue_on_error", "on_failure", "timeout"),
)
"""Without `project`: `proect` might be `protect`."""
SPOILT_VALUES = {
    "5m": ("5 min", "5 minutes", "5 m"),
    "20m": ("20 mins", "20 Minutes"),
    "retries: 3": ('retries: "3"', "retries: '3'"),
    "true": ("yes", "on", '"true"'),
    "default: 24": ('default: "24"',),
    "Europe/Berlin": ("Europe/berlin", "Europe/Berln"),
    "needs: extract": ("needs: extrct", "needs: exrtact"),
    "type: integer": ("type: integr", "type: Integer"),
}
UNIQUE = [key for key in KEYS if len(re.findall(rf"\b{key}:", SPEC)) == 1]

quick = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def fix(text: str) -> str:
    with TemporaryDirectory() as folder:
        return text_of(fixed(Path(folder), text), text)


@st.composite
def slips(draw: st.DrawFn, word: str) -> str:
    """The word with a letter left out, written twice, or exchanged with the next."""
    index = draw(st.integers(1, len(word) - 2))
    kind = draw(st.sampled_from(("left out", "twice", "exchanged")))
    if kind == "exchanged":
        return word[:index] + word[index + 1] + word[index] + word[index + 2 :]
    return word[:index] + word[index] * 2 * (kind == "twice") + word[index + 1 :]


@st.composite
def misspelt(draw: st.DrawFn) -> str:
    """The spec with some of its keys misspelt."""
    text = SPEC
    for key in draw(st.sets(st.sampled_from(UNIQUE), min_size=1, max_size=4)):
        text = re.sub(rf"\b{key}:", f"{draw(slips(key))}:", text)
    return text


@st.composite
def spoilt(draw: st.DrawFn) -> str:
    """The spec with some of its keys misspelt, and some of its values spelt otherwise."""
    text = draw(misspelt())
    for value in draw(st.sets(st.sampled_from(sorted(SPOILT_VALUES)), max_size=4)):
        text = text.replace(value, draw(st.sampled_from(SPOILT_VALUES[value])))
    return text


def parts(text: str) -> list[str]:
    """What no fix may touch: the comments, the blank lines, the indentation, and how many lines there are."""
    return [re.sub(r"\S.*?(\s*#.*)?$", r"·\1", line) for line in text.split("\n")]


@quick
@given(misspelt())
def test_a_misspelt_key_gets_its_name_back(text: str) -> None:
    assert fix(text) == SPEC


@quick
@given(spoilt())
def test_fixing_twice_is_fixing_once(text: str) -> None:
    once = fix(text)
    assert fix(once) == once


@quick
@given(spoilt())
def test_comments_and_all_other_lines_stay(text: str) -> None:
    once = fix(text)
    assert parts(once) == parts(text)
    pairs = zip(text.split("\n"), once.split("\n"), SPEC.split("\n"), strict=True)
    assert all(new == old for old, new, right in pairs if old == right)


def test_the_spec_is_right_before_it_is_spoilt() -> None:
    assert len(UNIQUE) > 10
    with TemporaryDirectory() as folder:
        outcome = fixed(Path(folder), SPEC)
    assert (outcome.files, outcome.compiled.diagnostics) == ((), ())
