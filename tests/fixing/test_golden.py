"""The golden cases of fixes: `tests/golden/fix/NAME.yaml` becomes `NAME.fixed.yaml`, and `--diff` prints `NAME.diff`.

`REWRITE_GOLDEN=1 pytest tests/fixing/test_golden.py` writes what becomes of them now; read the diff.
"""

import os
from pathlib import Path

import pytest

from fixing.workspace import fixed, text_of
from flowmill.report.fixes import as_diff
from flowmill.report.style import Style
from golden.corpus import FOLDER

FIXED = ".fixed.yaml"
CASES = sorted(path for path in (FOLDER / "fix").glob("*.yaml") if not path.name.endswith(FIXED))


def expect(text: str, path: Path) -> None:
    if os.environ.get("REWRITE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_a_spec_becomes_what_stands_beside_it(case: Path, tmp_path: Path) -> None:
    text = case.read_text(encoding="utf-8")
    outcome = fixed(tmp_path, text, case.stem)
    expect(text_of(outcome, text), case.with_suffix(FIXED))
    expect(as_diff(outcome.files, Style()), case.with_suffix(".diff"))


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_what_is_fixed_is_not_fixed_again(case: Path, tmp_path: Path) -> None:
    assert fixed(tmp_path, case.with_suffix(FIXED).read_text(encoding="utf-8"), case.stem).files == ()


@pytest.mark.parametrize("case", [case for case in CASES if case.stem != "left-alone"], ids=lambda path: path.stem)
def test_nothing_is_wrong_with_a_case_any_more(case: Path, tmp_path: Path) -> None:
    outcome = fixed(tmp_path, case.with_suffix(FIXED).read_text(encoding="utf-8"), case.stem)
    assert outcome.compiled.diagnostics == ()
