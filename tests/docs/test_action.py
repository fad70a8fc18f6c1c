"""The action of this repository: every `run` of it is run, as GitHub would, on specs that are right and wrong."""

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from lint.workspace import FLOW, UNEVEN, lay_out
from support.fresh_environment import fresh_environment, variables

ROOT = Path(__file__).resolve().parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
DEFAULTS: dict[str, str] = {name: it["default"] for name, it in ACTION["inputs"].items()}
TEST = "tests:\n  - {name: it loads, expect: {state: success}}\n"


@dataclass(frozen=True)
class Done:
    """How the action went: whether it succeeded, what it printed, what it handed on."""

    succeeded: bool
    printed: str
    outputs: str


def run(folder: Path, programs: Path, **inputs: str) -> Done:
    """Run the steps of the action in order, until one fails."""
    values = {f"inputs.{name}": value for name, value in {**DEFAULTS, **inputs}.items()}
    values["github.action_path"] = str(ROOT)
    output = folder / "output"
    output.touch()
    environ = variables(programs, GITHUB_OUTPUT=str(output), HOME=str(folder))
    printed = ""
    for step in (step for step in STEPS if "run" in step and _is_to_run(step, values, programs)):
        given = {name: _filled(text, values) for name, text in step.get("env", {}).items()}
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
        done = subprocess.run(
            command, cwd=folder, env={**environ, **given}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        printed += done.stdout
        if done.returncode:
            return Done(False, printed, output.read_text())
    return Done(True, printed, output.read_text())


def _is_to_run(step: dict[str, Any], values: dict[str, str], programs: Path) -> bool:
    if step["name"] == "install":  # once, for all tests
        return not (programs / "flowmill").exists()
    condition = re.fullmatch(r"(inputs\.\w+) (==|!=) '(\w*)'", step.get("if", ""))
    assert condition or "if" not in step
    return condition is None or (values[condition[1]] == condition[3]) is (condition[2] == "==")


def _filled(text: str, values: dict[str, str]) -> str:
    return re.sub(r"\$\{\{ (.*?) \}\}", lambda found: values[found[1]], text)


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fresh_environment(tmp_path_factory.mktemp("python") / "environment")


def test_specs_that_are_right_are_proved_and_tested(programs: Path, tmp_path: Path) -> None:
    lay_out(tmp_path, {"demo/trips.yaml": FLOW, "demo/trips.test.yaml": TEST})
    done = run(tmp_path, programs)
    assert (done.succeeded, done.printed, done.outputs) == (True, "", ""), done.printed


def test_a_mistake_is_shown_at_its_line_and_written_as_sarif(programs: Path, tmp_path: Path) -> None:
    lay_out(tmp_path, {"demo/trips.yaml": FLOW.replace("etl-01", "etl-1")})
    done = run(tmp_path, programs, sarif="found.sarif")
    assert not done.succeeded
    assert "::error file=specs/demo/trips.yaml,line=3,col=9" in done.printed
    results = json.loads((tmp_path / "found.sarif").read_text())["runs"][0]["results"]
    assert ([it["ruleId"] for it in results], done.outputs) == (["unknown-server"], "file=found.sarif\n")


def test_a_test_that_fails_is_shown_and_can_be_left_out(programs: Path, tmp_path: Path) -> None:
    lay_out(tmp_path, {"demo/trips.yaml": FLOW, "demo/trips.test.yaml": TEST.replace("success", "failed")})
    done = run(tmp_path, programs)
    assert not done.succeeded
    assert "::error file=specs/demo/trips.test.yaml,line=2" in done.printed
    assert run(tmp_path, programs, tests="false").succeeded


def test_warnings_fail_only_when_asked_for(programs: Path, tmp_path: Path) -> None:
    lay_out(tmp_path, {"demo/trips.yaml": UNEVEN})
    assert run(tmp_path, programs).succeeded
    done = run(tmp_path, programs, strict="true")
    assert (done.succeeded, "::warning" in done.printed) == (False, True)


def test_paths_choose_and_are_no_options(programs: Path, tmp_path: Path) -> None:
    wrong = FLOW.replace("etl-01", "etl-1")
    lay_out(tmp_path, {"demo/a b.yaml": wrong, "demo/trips.yaml": FLOW, "demo/stops.yaml": FLOW})
    assert run(tmp_path, programs, paths="specs/demo/trips.yaml\nspecs/demo/stops.yaml\n").succeeded
    assert not run(tmp_path, programs, paths="specs/demo/a b.yaml").succeeded
    assert "there is no file or folder `--help`" in run(tmp_path, programs, paths="--help").printed


def test_inputs_reach_commands_as_variables_only() -> None:
    assert not [step for step in STEPS if "${{" in step.get("run", "")]


WORKFLOWS = ("action.yml", "tests/ci/workflow.yml", "docs/ci/github-actions.yml", ".github/workflows/ci.yml")


@pytest.mark.parametrize("path", WORKFLOWS)
def test_zizmor_finds_nothing(path: str) -> None:
    zizmor = Path(sys.executable).with_name("zizmor")
    command = [zizmor, "--offline", "--persona=auditor", "--no-progress", "--format=plain", ROOT / path]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
