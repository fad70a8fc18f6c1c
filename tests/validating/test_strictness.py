"""One key at a time: the right code, the right place, the right suggestion; and what is right stays silent."""

from contextlib import chdir
from pathlib import Path
from shutil import copytree

import pytest

from flowmill.pipeline import Compiled, compile_workspace
from golden.corpus import PROJECT, WORKSPACE

FLOW = """\
project: demo
environment: staging
server: alpha
{key}
steps:
  - id: one
    type: script
    command: [echo, hello]
    {step}
"""


def compiled(tmp_path: Path, key: str = "", step: str = "") -> Compiled:
    """The outcome for a flow with one more key, or one more key in its step."""
    specs = copytree(WORKSPACE, tmp_path / "specs")
    (specs / PROJECT / "case.yaml").write_text(FLOW.format(key=key, step=step))
    with chdir(tmp_path):
        return compile_workspace(Path("specs"), frozenset({specs / PROJECT / "case.yaml"}))


@pytest.mark.parametrize(
    ("key", "step", "code", "place", "hint"),
    [
        pytest.param(
            "", "retrys: 3", "unknown-key", (9, 5), "did you mean `retries`?", id="y30-misspelt-key-of-a-step"
        ),
        pytest.param("timezon: UTC", "", "unknown-key", (4, 1), "did you mean `timezone`?", id="y30-misspelt-key"),
        pytest.param("", "depends_on: one", "unknown-key", (9, 5), "did you mean `needs`?", id="y30-another-tools-key"),
        pytest.param("tags: {a: b}", "", "wrong-type", (4, 7), "", id="y30-map-for-a-list"),
        pytest.param("", "retries: many", "wrong-type", (9, 14), "", id="y30-text-for-a-number"),
        pytest.param("concurrency: {on_conflict: queue}", "", "missing-key", (4, 1), "", id="y30-missing-key"),
        pytest.param("", 'retries: "5"', "wrong-type", (9, 14), "leave the quotes out", id="y31-quoted-number"),
        pytest.param("", "retries: 5.0", "wrong-type", (9, 14), "", id="y31-float-for-a-whole-number"),
        pytest.param("", "retries: true", "wrong-type", (9, 14), "", id="y31-true-for-a-number"),
        pytest.param("paused: yes", "", "wrong-type", (4, 9), "", id="y31-yes-for-true"),
        pytest.param('paused: "true"', "", "wrong-type", (4, 9), "leave the quotes out", id="y31-quoted-true"),
        pytest.param("", "<<: {retries: 1}", "yaml-merge-key", (9, 5), "`defaults:`", id="y32-merge-key"),
    ],
)
def test_one_mistake_has_one_message_at_its_place(
    tmp_path: Path, key: str, step: str, code: str, place: tuple[int, int], hint: str
) -> None:
    [found] = compiled(tmp_path, key, step).diagnostics
    assert (found.code, (found.span.line, found.span.column)) == (code, place), found.message
    assert hint in found.hint


@pytest.mark.parametrize(
    ("key", "step"),
    [
        pytest.param("paused: true", "", id="y31-true"),
        pytest.param("", "retries: 5", id="y31-number"),
        pytest.param("description: yes", "", id="y31-yes-as-text"),
        pytest.param("", "env: {A: &a one, B: *a}", id="y32-anchor-and-alias"),
        pytest.param("", "env: &env {A: one}", id="y32-anchor-alone"),
    ],
)
def test_what_is_right_is_silent(tmp_path: Path, key: str, step: str) -> None:
    assert compiled(tmp_path, key, step).diagnostics == ()
