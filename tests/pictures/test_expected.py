"""Pictures of a flow with every key, whole: `REWRITE_GOLDEN=1 pytest tests/pictures/test_expected.py` writes them."""

import os
from pathlib import Path

import pytest

from validating.command import flowmill

ROOT = Path(__file__).resolve().parents[2]
EXPECTED = Path(__file__).parent / "expected"


@pytest.mark.parametrize("name", ["every_key.txt", "every_key.mmd", "every_key.svg", "publishing.svg"])
def test_a_picture_is_the_one_that_was_looked_at(name: str, tmp_path: Path) -> None:
    folder = "docs/examples/specs/shop" if name.startswith("every_key") else "specs/finance"
    written = tmp_path / name
    ran = flowmill("graph", f"{folder}/{Path(name).stem}.yaml", "--env", "production", "--out", written, cwd=ROOT)
    assert ran.code == 0, ran.error
    if os.environ.get("REWRITE_GOLDEN"):
        (EXPECTED / name).write_text(written.read_text())
    assert written.read_text() == (EXPECTED / name).read_text()
