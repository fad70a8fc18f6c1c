"""`lint` of flowmill.yaml: rules that are off or of another severity, and what the exit code makes of it."""

import json
from pathlib import Path

import pytest

from lint.workspace import UNEVEN, WORKSPACE, lay_out
from validating.command import Ran, flowmill


def validated(folder: Path, lint: str, *options: str) -> Ran:
    lay_out(folder, {"flowmill.yaml": WORKSPACE + lint, "demo/trips.yaml": UNEVEN})
    return flowmill("validate", "--format", "json", *options, cwd=folder)


def severities(ran: Ran) -> list[str]:
    return [it["severity"] for it in json.loads(ran.text)["diagnostics"]]


@pytest.mark.parametrize(
    ("setting", "severity", "code", "strict_code"),
    [
        pytest.param("uneven-step: off", [], 0, 0, id="off"),
        pytest.param("uneven-step: info", ["info"], 0, 0, id="info"),
        pytest.param("uneven-step: warning", ["warning"], 0, 1, id="warning"),
        pytest.param("uneven-step: error", ["error"], 1, 1, id="error"),
        pytest.param("uneven-step: {severity: error}", ["error"], 1, 1, id="as a map"),
        pytest.param("uneven-step: {}", ["warning"], 0, 1, id="an empty map"),
    ],
)
def test_a_severity_decides_the_exit_code(
    setting: str, severity: list[str], code: int, strict_code: int, tmp_path: Path
) -> None:
    lint = f"lint:\n  rules:\n    {setting}\n"
    ran, strict = validated(tmp_path, lint), validated(tmp_path, lint, "--strict")
    assert (severities(ran), ran.code, strict.code) == (severity, code, strict_code)


@pytest.mark.parametrize(
    ("setting", "code"),
    [
        pytest.param("uneven-step: no", "bad-value", id="a word that is no severity"),
        pytest.param("uneven-step: [off]", "wrong-type", id="a list"),
        pytest.param("uneven-step: {severity: fatal}", "bad-value", id="no severity in a map"),
        pytest.param("uneven: off", "unknown-rule", id="no rule"),
        pytest.param("unknown-key: off", "unknown-rule", id="an error of the language"),
    ],
)
def test_a_setting_that_cannot_be_is_an_error(setting: str, code: str, tmp_path: Path) -> None:
    ran = validated(tmp_path, f"lint:\n  rules:\n    {setting}\n")
    found = json.loads(ran.text)["diagnostics"]
    assert [(it["code"], it["line"]) for it in found if it["severity"] == "error"] == [(code, 8)]
    assert ran.code == 1


def test_what_is_an_error_here_cannot_be_planned_or_registered(tmp_path: Path) -> None:
    lay_out(tmp_path, {"flowmill.yaml": WORKSPACE + "lint: {rules: {uneven-step: error}}\n", "demo/trips.yaml": UNEVEN})
    environ = {"PREFECT_API_URL": "http://127.0.0.1:9/api"}  # nobody is asked
    for verb in ("plan", "register"):
        ran = flowmill(verb, "--env", "staging", cwd=tmp_path, environ=environ)
        assert (ran.code, "uneven-step" in ran.error) == (1, True)


def test_the_list_of_rules_tells_what_holds_here(tmp_path: Path) -> None:
    lay_out(tmp_path, {"flowmill.yaml": WORKSPACE + "lint: {rules: {uneven-step: off}}\n"})
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    listed = {place: flowmill("rules", cwd=place).text for place in (tmp_path, tmp_path / "specs", Path("/"))}
    levels = {place: text.split("uneven-step")[1].split()[0] for place, text in listed.items()}
    assert levels == {tmp_path: "off", tmp_path / "specs": "off", Path("/"): "warning"}


def test_the_page_of_a_rule_can_be_read_and_a_misspelt_one_is_corrected(tmp_path: Path) -> None:
    assert "does not divide" in flowmill("rules", "uneven-step", cwd=tmp_path).text
    wrong = flowmill("rules", "uneven-steps", cwd=tmp_path)
    assert (wrong.code, "did you mean `uneven-step`?" in wrong.error) == (2, True)
