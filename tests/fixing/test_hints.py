"""A fix writes the word that the hint names, or none: two answers to one mistake would be worse than no answer."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixing.workspace import PLACE, lay_out
from flowmill.corrections import certain, renamed
from flowmill.suggest import FOREIGN, nearest
from validating.command import flowmill

FLOW = """project: demo
environment: staging
extends: t
steps:
  - {id: load, type: script, command: "true"}
"""
WORDS = st.one_of(st.text("abs1_-", max_size=8), st.sampled_from(sorted({*FOREIGN, *FOREIGN.values()})))


def fixed_template(folder: Path, keys: str) -> tuple[str, str]:
    """The hints about a template `t`, and the project's file after `--fix`."""
    project = lay_out(folder, FLOW).parent / "project.yaml"
    project.write_text(f"templates:\n  t:\n    {keys}\n", encoding="utf-8")
    said = flowmill("validate", cwd=folder).text
    flowmill("validate", "--fix", cwd=folder)
    return said, (folder / PLACE / "project.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("written", "hint", "meant"),
    [
        ('schedule: "0 6 * * *"', "cron", 'cron: "0 6 * * *"'),
        ("tz: Europe/Berlin", "timezone", "timezone: Europe/Berlin"),
        ("schedule: [1]", "cron", "schedule: [1]"),  # no cron expression: that is left to its author
        ('corn: "0 6 * * *"', "cron", 'cron: "0 6 * * *"'),
    ],
)
def test_a_key_of_a_template_is_mended_as_the_hint_says(tmp_path: Path, written: str, hint: str, meant: str) -> None:
    said, text = fixed_template(tmp_path, written)
    assert f"did you mean `{hint}`?" in said
    assert text == f"templates:\n  t:\n    {meant}\n"


@given(WORDS, st.lists(WORDS, max_size=6))
def test_what_is_certain_is_what_the_hint_names(word: str, known: list[str]) -> None:
    assert certain(word, known) in (None, nearest(word, known))
    assert renamed(word, known) in (None, nearest(word, known))


@pytest.mark.parametrize(
    ("word", "known", "hint", "fix"),
    [
        ("tasks", ["task", "steps"], "steps", None),
        ("Message", ["message", "text"], "message", "message"),
        ("run on", ["server", "run_on"], "run_on", "run_on"),
        ("step1x", ["step2x", "stepxx1"], "step2x", None),
    ],
)
def test_where_hint_and_fix_could_differ(word: str, known: list[str], hint: str, fix: str | None) -> None:
    assert (nearest(word, known), certain(word, known)) == (hint, fix)
