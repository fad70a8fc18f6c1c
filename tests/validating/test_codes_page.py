"""docs/codes.md is what its generator writes, and has a section for every code."""

import re
import subprocess
import sys
from pathlib import Path

from flowmill.codes import catalogue

ROOT = Path(__file__).parent.parent.parent


def test_the_page_is_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "docs/generate_codes.py", "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_every_code_has_a_section_of_its_own() -> None:
    text = (ROOT / "docs/codes.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == list(catalogue())
