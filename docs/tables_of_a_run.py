"""Tables of what a step and a run do: tried out by the code that the tests hold against a model of the rules."""

import sys
from pathlib import Path

from markdown_table import table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from support.truth_table import BEFORE, CONDITIONS, ENDS, Row, row

WHATEVER = "an expression that is false"


def run_table(what: str) -> str:
    """The table of that name."""
    return {"conditions": _conditions, "run states": _run_states}[what]()


def _conditions() -> str:
    head = ("the step before …", *CONDITIONS)
    lines = [(before, *(_word(row(before, condition, "succeeds")) for condition in CONDITIONS)) for before in BEFORE]
    return table(head, lines)


def _word(tried: Row) -> str:
    return "**runs**" if tried.ran else {"skipped": "skipped", "failed": "fails"}[tried.state.value]


def _run_states() -> str:
    head = ("the step before …", *(f"the step {end}" for end in ENDS), "the step is skipped by its `if`")
    lines = [
        (before, *(_state(row(before, "`always()`", end)) for end in ENDS), _state(row(before, WHATEVER, "succeeds")))
        for before in BEFORE
    ]
    return table(head, lines)


def _state(tried: Row) -> str:
    return "failed" if tried.run_failed else "succeeded"
