"""The golden corpus: every spec under tests/golden/err prints what stands beside it, every one under ok plans it.

`REWRITE_GOLDEN=1 pytest tests/validating/test_golden.py` writes what is printed now; read the diff.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from golden.corpus import FOLDER, WORKSPACE, Case, err_cases, ok_cases
from pydantic import BaseModel

from flowmill import spec
from flowmill.codes import catalogue
from flowmill.pipeline import Compiled
from flowmill.report import render
from flowmill.report.style import Style
from flowmill.source import Source
from flowmill.tree import Tree, parse_tree
from flowmill_tasks.registry import discover

REWRITE = bool(os.environ.get("REWRITE_GOLDEN"))


def by_name(cases: list[Case]) -> list[object]:
    return [pytest.param(case, id=case.name) for case in cases]


def expect(text: str, path: Path) -> None:
    if REWRITE:
        path.write_text(text, encoding="utf-8")
    assert path.exists(), f"no {path.name}: run with REWRITE_GOLDEN=1 and read what it writes"
    assert text == path.read_text(encoding="utf-8")


def plans(compiled: Compiled) -> str:
    """The plans as `flowmill compile` prints them."""
    texts = (plan.to_json().rstrip() for _, plan in sorted(compiled.plans.items()))
    return "[\n" + ",\n".join(texts) + "\n]\n"


@pytest.mark.parametrize("case", by_name(err_cases()))
def test_a_wrong_spec_prints_what_stands_beside_it(case: Case, tmp_path: Path) -> None:
    compiled = case.compile(tmp_path)
    assert compiled.diagnostics, "this spec is fine: it belongs into ok/"
    expect(render(compiled, "text", Style()), case.expected)


@pytest.mark.parametrize("case", by_name(ok_cases()))
def test_a_right_spec_is_planned_without_a_word(case: Case, tmp_path: Path) -> None:
    compiled = case.compile(tmp_path)
    assert compiled.diagnostics == ()
    expect(plans(compiled), case.expected)
