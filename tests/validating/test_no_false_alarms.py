"""Rules are silent about specs that are right, all together; each right case alone is looked at by the golden tests."""

from contextlib import chdir
from pathlib import Path

import pytest

from flowmill.diagnostics import Diagnostic
from flowmill.lint.registry import rules
from flowmill.lint.settings import active_rules
from flowmill.proving import prove
from flowmill.workspace import load
from golden.corpus import TODAY, ok_cases

ROOT = Path(__file__).parents[2]
SHIPPED = [ROOT / "specs", ROOT / "docs/examples/specs"]


def found(specs: Path) -> tuple[Diagnostic, ...]:
    """What is said about a whole workspace."""
    with chdir(specs.parent):
        compiled = prove(specs.relative_to(specs.parent), today=TODAY)
    assert compiled.plans
    return compiled.diagnostics


def active(specs: Path) -> set[str]:
    """The rules that hold there."""
    spec = load(specs).spec
    assert spec
    return {it.rule.code for it in active_rules(spec)[0]}


@pytest.mark.parametrize("specs", SHIPPED, ids=["specs", "docs/examples/specs"])
def test_what_ships_is_clean(specs: Path) -> None:
    assert active(specs) == set(rules())
    assert found(specs) == ()


def test_all_right_cases_of_one_file_are_clean_together(tmp_path: Path) -> None:
    cases = [case for case in ok_cases() if case.source.is_file()]
    for case in cases:
        specs = case.lay_out(tmp_path)
    assert active(specs) == set(rules())
    assert found(specs) == ()
