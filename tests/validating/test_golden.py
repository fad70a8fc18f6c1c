"""The golden corpus: every spec under tests/golden/err prints what stands beside it, every one under ok plans it.

`REWRITE_GOLDEN=1 pytest tests/validating/test_golden.py` writes what is printed now; read the diff.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from flowmill.codes import catalogue
from flowmill.expressions.functions import FILTERS, FUNCTIONS
from flowmill.lint.registry import rules
from flowmill.pipeline import Compiled
from flowmill.reading.parse import parse_tree
from flowmill.reading.source import Source
from flowmill.reading.tree import Tree
from flowmill.report import names, render
from flowmill.report.style import Style
from flowmill.spec.bind import keys_of
from flowmill.spec.flow import FlowSpec, StepKeys
from flowmill.spec.workspace import Project, Workspace
from flowmill.testing.spec import FlowTests
from flowmill_tasks.registry import discover
from golden.corpus import FOLDER, WORKSPACE, Case, err_cases, ok_cases

REWRITE = bool(os.environ.get("REWRITE_GOLDEN"))
CANARY = "hunter2"
"""Part of every password and token that a case writes out."""

ERR = [pytest.param(case, id=case.name) for case in err_cases()]
OK = [pytest.param(case, id=case.name) for case in ok_cases()]


def expect(text: str, path: Path) -> None:
    if REWRITE:
        path.write_text(text, encoding="utf-8")
    assert path.exists(), f"no {path.name}: run with REWRITE_GOLDEN=1 and read what it writes"
    assert text == path.read_text(encoding="utf-8")


def plans(compiled: Compiled) -> str:
    """The plans as `flowmill compile` prints them."""
    texts = (plan.to_json().rstrip() for _, plan in sorted(compiled.plans.items()))
    return "[\n" + ",\n".join(texts) + "\n]\n"


@pytest.mark.parametrize("case", ERR)
def test_a_wrong_spec_prints_what_stands_beside_it(case: Case, tmp_path: Path) -> None:
    compiled = case.compile(tmp_path)
    assert compiled.diagnostics, "this spec is fine: it belongs into ok/"
    expect(render(compiled, "text", Style()), case.expected)


@pytest.mark.parametrize("case", OK)
def test_a_right_spec_is_planned_without_a_word(case: Case, tmp_path: Path) -> None:
    compiled = case.compile(tmp_path)
    assert compiled.diagnostics == ()
    expect(plans(compiled), case.expected)


@pytest.mark.parametrize("case", [case for case in err_cases() if CANARY in str(case.texts())], ids=lambda c: c.name)
@pytest.mark.parametrize("style", [Style(), Style(colour=True)], ids=["plain", "colour"])
def test_i24_no_format_shows_a_value_that_may_be_secret(case: Case, style: Style, tmp_path: Path) -> None:
    compiled = case.compile(tmp_path)
    for name in names():
        assert CANARY not in render(compiled, name, style)


def codes_in(case: Case) -> set[str]:
    headlines = re.findall(r"^\S.*:\d+:\d+: .* \[([\w-]+)\]$", case.expected.read_text(encoding="utf-8"), re.MULTILINE)
    return set(headlines)


@pytest.mark.parametrize("code", [*catalogue(), *rules()])
def test_every_code_has_a_case_that_is_called_like_it(code: str) -> None:
    case = next((case for case in err_cases() if case.name == code), None)
    assert case, f"tests/golden/err has no {code}.yaml and no folder {code}"
    assert code in codes_in(case)


def test_no_case_shows_a_code_that_is_not_documented() -> None:
    shown = set().union(*map(codes_in, err_cases()))
    assert shown <= {*catalogue(), *rules()}


@pytest.mark.parametrize("code", rules())
def test_every_rule_has_a_near_miss_that_is_called_like_it(code: str) -> None:
    assert code in {case.name for case in ok_cases()}, f"tests/golden/ok has no {code}.yaml and no folder {code}"


def test_every_expectation_belongs_to_a_case() -> None:
    expected = {case.expected for case in [*err_cases(), *ok_cases()]}
    found = {*FOLDER.glob("*/*.out"), *FOLDER.glob("*/*.json"), *FOLDER.glob("*/*/expected.*")}
    assert found == expected


@pytest.mark.parametrize("case", [*ERR, *OK])
def test_a_case_says_what_it_shows(case: Case) -> None:
    assert any(re.search(r"^# \S|^description: ", text, re.MULTILINE) for text in case.texts().values())


def keys_shown() -> set[str]:
    """Every key that stands anywhere in the right specs, or in the workspace around them."""
    files = [*(FOLDER / "ok").rglob("*.yaml"), *WORKSPACE.rglob("*.yaml")]
    trees = [parse_tree(Source(path.name, path.read_bytes().decode("utf-8-sig"))) for path in files]
    return {key for tree in trees if isinstance(tree, Tree) for key in keys_in(tree.plain())}


def keys_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from keys_in(item)


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that a type is made of, at any depth."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from models_in(field.annotation)
    for part in get_args(annotation):
        yield from models_in(part)


DOCUMENTS = (Workspace, Project, FlowSpec, StepKeys, FlowTests, *discover().values())


@pytest.mark.parametrize(
    "model", {model: None for document in DOCUMENTS for model in models_in(document)}, ids=lambda model: model.__name__
)
def test_every_key_of_the_language_is_shown_in_a_right_spec(model: type[BaseModel]) -> None:
    assert set(keys_of(model)) <= keys_shown()


def test_every_filter_and_function_is_shown_in_a_right_spec() -> None:
    text = (FOLDER / "ok/expressions.yaml").read_text(encoding="utf-8")
    filters = {name for name in FILTERS if not re.search(rf"\| {name}\b", text)}
    functions = {name for name in FUNCTIONS if not re.search(rf"\b{name}\(", text)}
    assert (filters, functions) == (set(), set())
