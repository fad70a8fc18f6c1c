"""SARIF, GitLab's Code Quality and JUnit's XML: valid by their own schemas and readers, whatever a spec holds."""

import json
import shutil
from contextlib import chdir
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator, Draft202012Validator, FormatChecker
from junitparser import JUnitXml, TestSuite

from flowmill.diagnostics import Diagnostic, Related, Severity, Span, TextEdit
from flowmill.pipeline import Compiled
from flowmill.report import render, render_tests
from flowmill.report.style import Style
from flowmill.testing.suite import run_tests
from golden.corpus import FOLDER, WORKSPACE, Case, err_cases
from validating.command import flowmill

SARIF = json.loads((Path(__file__).parent / "schemas/sarif-schema-2.1.0.json").read_text())
GITLAB = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "location", "severity"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "minLength": 1},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": "^(?!\\./)"},
                    "lines": {"required": ["begin"], "properties": {"begin": {"type": "integer", "minimum": 1}}},
                },
            },
        },
    },
}
"""What GitLab's documentation says that an entry must have."""
HOSTILE = [
    pytest.param("two\nlines\r\n", id="line-ends"),
    pytest.param("]]></failure><x a='1'>&amp;", id="xml"),
    pytest.param('"}], "results": [{"', id="json"),
    pytest.param("\x1b[31m\x00\x08\x7f", id="controls"),
    pytest.param("\ud800 \udfff \ufffe", id="no characters"),
    pytest.param("%0A::error::, 100 % 🙂 \u202eabc", id="percent, emoji, right to left"),
]


def compiled(*diagnostics: Diagnostic) -> Compiled:
    return Compiled({}, diagnostics, flows=1)


def case(name: str) -> Case:
    return next(case for case in err_cases() if case.name == name)


def hostile(text: str) -> Compiled:
    span = Span(f"specs/{text}.yaml", 2, 3, 2, 9)
    fix = (TextEdit(span, text),)
    found = Diagnostic(span, "unknown-key", text, text, (Related(span, text),), details=(text,), fix=fix)
    return compiled(found, replace(found, severity=Severity.INFO), found)


def sarif(found: Compiled) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(render(found, "sarif", Style()))
    Draft4Validator(SARIF, format_checker=FormatChecker()).validate(content)
    return content


def gitlab(found: Compiled) -> list[dict[str, Any]]:
    content: list[dict[str, Any]] = json.loads(render(found, "gitlab", Style()))
    Draft202012Validator(GITLAB).validate(content)
    return content


def junit(text: str) -> TestSuite:
    (suite,) = JUnitXml.fromstring(text.encode())
    assert (suite.tests, suite.failures) == (len(list(suite)), sum(not it.is_passed for it in suite))
    return suite


@pytest.mark.parametrize("case", err_cases(), ids=lambda case: case.name)
def test_every_wrong_case_gives_valid_reports_with_all_that_the_text_tells(case: Case, tmp_path: Path) -> None:
    found = case.compile(tmp_path)
    codes = [it.code for it in found.diagnostics]
    entries, suite = gitlab(found), junit(render(found, "junit", Style()))
    assert [it["ruleId"] for it in sarif(found)["runs"][0]["results"]] == codes
    assert [it["check_name"] for it in entries] == codes
    assert len({it["fingerprint"] for it in entries}) == len(entries)
    told = [it.system_out or "" for it in suite] + [failure.text for it in suite for failure in it.result]
    assert all(f"[{code}]" in "".join(told) for code in codes)


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_breaks_a_report(text: str) -> None:
    found = hostile(text)
    assert [it["level"] for it in sarif(found)["runs"][0]["results"]] == ["error", "note", "error"]
    assert [it["severity"] for it in gitlab(found)] == ["major", "info", "major"]
    (only,) = junit(render(found, "junit", Style()))
    assert only.result[0].text.count("[unknown-key]") == 2


def test_sarif_has_the_places_in_characters(tmp_path: Path) -> None:
    specs = shutil.copytree(WORKSPACE, tmp_path / "specs")
    text = (FOLDER / "ok/minimal.yaml").read_text() + 'vars: {a: "🙂🙂 ${{ vars.b }}"}\n'
    (specs / "demo/minimal.yaml").write_text(text)
    ran = flowmill("validate", "--format", "sarif", cwd=tmp_path)
    run = json.loads(ran.text)["runs"][0]
    (result,) = run["results"]
    place = result["locations"][0]["physicalLocation"]
    line = text.splitlines()[place["region"]["startLine"] - 1]
    region = line[place["region"]["startColumn"] - 1 : place["region"]["endColumn"] - 1]
    assert (ran.code, run["columnKind"], region) == (1, "unicodeCodePoints", "b")
    assert place["artifactLocation"] == {"uri": "specs/demo/minimal.yaml"}


def test_sarif_tells_of_each_code_what_it_means_and_of_each_result_the_other_places(tmp_path: Path) -> None:
    run = sarif(case("policy").compile(tmp_path))["runs"][0]
    assert [it["id"] for it in run["tool"]["driver"]["rules"]] == ["policy"]
    other = run["results"][0]["relatedLocations"][0]
    assert (other["message"]["text"], other["physicalLocation"]["artifactLocation"]["uri"]) == (
        "policy `accountable`",
        "specs/flowmill.yaml",
    )


def test_a_fingerprint_stays_when_lines_move_and_differs_where_anything_else_does(tmp_path: Path) -> None:
    specs = shutil.copytree(WORKSPACE, tmp_path / "specs")
    source = case("several-at-once").source.read_text()

    def printed(text: str) -> list[str]:
        (specs / "demo/job.yaml").write_text(text)
        ran = flowmill("validate", "--format", "gitlab", "specs/demo/job.yaml", cwd=tmp_path)
        return [it["fingerprint"] for it in json.loads(ran.text)]

    before = printed(source)
    assert printed(f"# a line\n\n{source}") == before
    assert len(set(before)) == len(before) > 1


def test_junit_names_flows_that_are_right(tmp_path: Path) -> None:
    specs = shutil.copytree(WORKSPACE, tmp_path / "specs")
    shutil.copy(FOLDER / "ok/minimal.yaml", specs / "demo")
    shutil.copy(case("unknown-key").source, specs / "demo")
    suite = junit(flowmill("validate", "--format", "junit", cwd=tmp_path).text)
    assert [(it.name, it.is_passed) for it in suite if "demo/" in it.name] == [
        ("specs/demo/minimal.yaml", True),
        ("specs/demo/unknown-key.yaml", False),
    ]


def test_junit_has_a_case_for_each_test_of_a_flow(tmp_path: Path) -> None:
    specs = case("test-failed").lay_out(tmp_path)
    with chdir(tmp_path):
        tested = run_tests(specs.relative_to(tmp_path))
    suite = junit(render_tests(tested, "junit", Style()))
    assert [(it.classname, it.name, it.is_passed) for it in suite] == [
        ("demo.test-failed", test.name, test.passed) for test in tested.tests
    ]
    assert suite.failures == 2
