"""The label of an element, which stands in lists and logs: one short line without any part of a secret."""

from pathlib import Path

import pytest

from flowmill.local.select import plan_of
from flowmill.running.elements import SHOWN_AT_MOST, elements_of
from support.conducted import run_of
from support.flows import script, write_job

LONG = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
SPACED = "correct  horse\tbattery staple"


def label_of(folder: Path, item: str) -> str:
    """The label of the one element of a list, in a run that knows two secrets."""
    step = script("load", "true", foreach="${{ parameters.items }}")
    plan = plan_of(write_job(folder, step, parameters={"items": {"type": "list", "default": []}}), "staging")
    run = run_of(plan, items=[item])
    run.redactor.learn([LONG, SPACED])
    elements = plan.steps[0].elements
    assert elements is not None
    return elements_of(plan.steps[0], elements, run)[0].label


@pytest.mark.parametrize(
    ("item", "shown"),
    [
        pytest.param(LONG, "***", id="longer than a label"),
        pytest.param(f"the key is {LONG}", "the key is ***", id="cut in its middle"),
        pytest.param(SPACED, "***", id="white space that is folded"),
        pytest.param("a  b", "a b", id="no secret"),
        pytest.param("x" * 50, "x" * (SHOWN_AT_MOST - 1) + "…", id="long and no secret"),
    ],
)
def test_no_part_of_a_secret_is_in_a_label(item: str, shown: str, tmp_path: Path) -> None:
    assert label_of(tmp_path, item) == f"load[{shown}]"
