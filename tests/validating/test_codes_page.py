"""docs/codes.md and docs/rules/ are what their generator writes, and have a section or a page for every code."""

import re
import subprocess
import sys
from pathlib import Path

from flowmill.codes import catalogue
from flowmill.lint.registry import rules

ROOT = Path(__file__).parent.parent.parent


def test_the_pages_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "docs/generate_codes.py", "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_every_code_has_a_section_of_its_own() -> None:
    text = (ROOT / "docs/codes.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == list(catalogue())


def test_every_rule_has_a_page_of_its_own() -> None:
    found = {path.stem for path in (ROOT / "docs/rules").glob("*.md")} - {"README"}
    assert found == set(rules())


def test_no_rule_is_called_like_an_error() -> None:
    assert not rules().keys() & catalogue().keys()
