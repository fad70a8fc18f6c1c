"""The command line: help, exit codes, crashes, and output that is the same wherever it is made."""

import shutil
import subprocess
from pathlib import Path

import click
import pytest

from flowmill.cli import cli
from golden.corpus import FOLDER, WORKSPACE, err_cases, ok_cases
from support.waiting import PATIENCE
from validating.command import FLOWMILL, Ran, flowmill

VERBS = cli.list_commands(click.Context(cli))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace with five right flows, which use all that it declares."""
    shutil.copytree(WORKSPACE, tmp_path / "specs")
    for name in ("minimal", "overrides", "handlers", "description", "run-keys"):
        shutil.copy(FOLDER / f"ok/{name}.yaml", tmp_path / "specs/demo")
    return tmp_path


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], *([verb, "--help"] for verb in VERBS)], ids=" ".join)
def test_help_explains_itself_with_examples(folder: Path, arguments: list[str]) -> None:
    ran = flowmill(*arguments, cwd=folder)
    assert (ran.code, ran.err) == (0, b"")
    assert "Usage: flowmill" in ran.text
    assert "Examples:\n  " in ran.text


def test_the_version_is_told(folder: Path) -> None:
    ran = flowmill("--version", cwd=folder)
    assert (ran.code, ran.text.split()[0]) == (0, "flowmill")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        pytest.param(["valdate"], "did you mean `validate`?", id="misspelt-verb"),
        pytest.param(["frobnicate"], "expected one of: compile", id="unknown-verb"),
        pytest.param(["validate", "nowhere.yaml"], "there is no file or folder `nowhere.yaml`", id="no-such-file"),
        pytest.param(["validate", "--format", "xml"], "there are: github, gitlab, json", id="unknown-format"),
        pytest.param(["validate", "--frmat", "json"], "--format", id="misspelt-option"),
        pytest.param(["validate", "/"], "there is no flowmill.yaml at or above `/`", id="no-workspace"),
    ],
)
def test_a_wrong_command_line_is_2_and_says_what_would_be_right(folder: Path, arguments: list[str], told: str) -> None:
    ran = flowmill(*arguments, cwd=folder)
    assert (ran.code, ran.out) == (2, b"")
    assert told in " ".join(ran.error.split())


@pytest.mark.parametrize("verb", ["validate", "compile"])
def test_right_specs_are_0(folder: Path, verb: str) -> None:
    ran = flowmill(verb, cwd=folder)
    assert (ran.code, ran.err) == (0, b"")


@pytest.mark.parametrize(
    ("arguments", "summary"),
    [
        pytest.param([], "5 flows valid in 2 environments", id="nothing"),
        pytest.param(["specs"], "5 flows valid in 2 environments", id="workspace"),
        pytest.param(["specs/demo"], "5 flows valid in 2 environments", id="project"),
        pytest.param(["specs/demo/minimal.yaml"], "1 flow valid in 1 environment", id="flow"),
        pytest.param(
            ["specs/demo/minimal.yaml", "specs/demo/handlers.yaml"], "2 flows valid in 1 environment", id="two"
        ),
    ],
)
def test_what_is_named_is_looked_at(folder: Path, arguments: list[str], summary: str) -> None:
    assert flowmill("validate", *arguments, cwd=folder).text == f"{summary}\n"


@pytest.mark.parametrize("place", [".", "specs", "specs/demo"])
def test_the_workspace_is_found_from_wherever_one_stands(folder: Path, place: str) -> None:
    assert flowmill("validate", cwd=folder / place).text == "5 flows valid in 2 environments\n"


@pytest.mark.parametrize("name", ["unknown-key", "several-at-once", "yaml-syntax"])
def test_wrong_specs_are_1_and_print_what_the_golden_corpus_says(tmp_path: Path, name: str) -> None:
    case = next(case for case in err_cases() if case.name == name)
    case.lay_out(tmp_path)
    ran = flowmill("validate", f"specs/demo/{name}.yaml", cwd=tmp_path)
    assert (ran.code, ran.err, ran.text) == (1, b"", case.expected.read_text(encoding="utf-8"))


def test_a_warning_alone_is_0(tmp_path: Path) -> None:
    next(case for case in err_cases() if case.name == "comment-in-value").lay_out(tmp_path)
    assert flowmill("validate", cwd=tmp_path).code == 0


def test_of_wrong_specs_no_plan_is_printed(tmp_path: Path) -> None:
    next(case for case in err_cases() if case.name == "unknown-key").lay_out(tmp_path)
    ran = flowmill("compile", cwd=tmp_path)
    assert (ran.code, ran.out) == (1, b"")
    assert "unknown key `retrys`" in ran.error


def test_compile_prints_what_the_golden_corpus_says(tmp_path: Path) -> None:
    case = next(case for case in ok_cases() if case.name == "overrides")
    case.lay_out(tmp_path)
    ran = flowmill("compile", cwd=tmp_path)
    assert (ran.code, ran.text) == (0, case.expected.read_text(encoding="utf-8"))


@pytest.mark.parametrize("verb", ["compile", "schedule"])
def test_an_environment_that_no_flow_names_is_refused(folder: Path, verb: str) -> None:
    ran = flowmill(verb, "--env", "stagign", cwd=folder)
    assert (ran.code, ran.out) == (2, b"")
    assert "names the environment `stagign`; did you mean `staging`?" in " ".join(ran.error.split())


def test_compile_prints_the_same_bytes_everywhere(tmp_path: Path) -> None:
    outputs = set()
    for seed, place in (("1", "here"), ("2", "elsewhere/deeper")):
        shutil.copytree(WORKSPACE, tmp_path / place / "specs")
        for case in ok_cases():
            if case.source.is_file():
                shutil.copy(case.source, tmp_path / place / "specs/demo")
        environ = {"PYTHONHASHSEED": seed, "TZ": f"UTC-{seed}", "LANG": "C"}
        outputs.add(flowmill("compile", cwd=tmp_path / place, environ=environ).out)
    assert len(outputs) == 1
    assert str(tmp_path).encode() not in outputs.pop()


def with_package(folder: Path, code: str, name: str = "broken") -> Ran:
    """Run `validate` with a package installed that offers step types."""
    site = folder / "site"
    information = site / f"{name}-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(f"[flowmill.steps]\n{name} = {name}:It\n")
    (site / f"{name}.py").write_text(code)
    return flowmill("validate", cwd=folder, environ={"PYTHONPATH": str(site), "TMPDIR": str(folder)})


STEP = """
from typing import ClassVar
from flowmill_tasks.base import Output, Step

class It(Step):
    step_type: ClassVar[str] = "it"
    summary: ClassVar[str] = "Does nothing"

    def execute(self, run):
        return Output()
"""
FLOW = "project: demo\nenvironment: staging\nsteps:\n  - {id: a, type: it}\n"
CRASHES = """
    def problems(self, directory, root):
        raise KeyError("hunter2 from the spec")
"""


def test_a_step_type_of_another_package_is_found(folder: Path) -> None:
    (folder / "specs/demo/other.yaml").write_text(FLOW)
    ran = with_package(folder, STEP)
    assert (ran.code, ran.text) == (0, "6 flows valid in 2 environments\n")


def test_a_crash_is_3_and_tells_what_to_report(folder: Path) -> None:
    (folder / "specs/demo/other.yaml").write_text(FLOW)
    ran = with_package(folder, STEP + CRASHES)
    assert (ran.code, ran.out) == (3, b"")
    lines = ran.error.splitlines()
    assert lines[0] == "flowmill has crashed. This is a fault of flowmill, not of your specs."
    assert "KeyError at broken.py:13 in problems" in lines[3]
    frames = Path(lines[4].strip())
    assert "broken.py:13 in problems" in frames.read_text()
    assert "hunter2" not in ran.error + frames.read_text(), "the exception's own text may be a value of a spec"


@pytest.mark.parametrize(
    ("code", "told"),
    [
        pytest.param(
            "import nothing_of_that_name\n", "step types of `broken:It` cannot be loaded: ", id="import-fails"
        ),
        pytest.param(
            STEP.replace('"it"', '"script"'),
            "step type `script` is defined by both flowmill_tasks.script.Script and broken.It",
            id="word-is-taken",
        ),
    ],
)
def test_a_broken_package_of_step_types_is_named(folder: Path, code: str, told: str) -> None:
    ran = with_package(folder, code)
    assert (ran.code, ran.out) == (3, b"")
    assert ran.error.startswith(f"flowmill cannot use what is installed: {told}")


def test_whoever_has_read_enough_may_leave(folder: Path) -> None:
    for number in range(300):
        (folder / f"specs/demo/w{number}.yaml").write_text("project: demo\nenvironment: nowhere\n")
    command = f"{FLOWMILL} validate | head -n 1"
    done = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, timeout=PATIENCE, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.count(b"\n") == 1
