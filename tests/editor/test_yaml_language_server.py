"""What editors make of the published schemas, asked of the language server that most of them have."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from editor.yaml_language_server import ROOT, Editor, Problem, running
from golden.corpus import PROJECT, WORKSPACE, Case, err_cases, ok_cases

pytestmark = pytest.mark.node

FLOW = f"specs/{PROJECT}/job.yaml"
OWN_STEP_TYPE = ROOT / "docs/examples/step-type"
"""A workspace whose step type is not among the published ones."""
NOT_EXPRESSIBLE = {
    "missing-key-server": "whether the server is inherited, one file does not say",
    "unknown-key-of-step-in-test": "the type of a step stands in another file",
}
OF_SHAPE = ("unknown-key", "unknown-type", "wrong-type", "missing-key", "bad-value-choice")


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    with running(tmp_path_factory.mktemp("yaml-language-server")) as found:
        yield found


def text_of(path: Path) -> str:
    return path.read_bytes().decode("utf-8-sig", "replace")


def files_of(case: Case) -> dict[str, str]:
    """The files of a case by where they lie in a workspace."""
    if case.source.is_file():
        return {f"specs/{PROJECT}/{file.name}": text_of(file) for file in case.files}
    folder = case.source / "specs"
    return {f"specs/{path.relative_to(folder)}": text_of(path) for path in sorted(folder.rglob("*.yaml"))}


def problems_of(editor: Editor, files: list[tuple[str, str, str]]) -> dict[str, list[Problem]]:
    """What is underlined in files of cases, all opened at once: the server waits a while before it looks at one."""
    opened = [(case, editor.open(place, text)) for case, place, text in files]
    found: dict[str, list[Problem]] = {}
    for case, address in opened:
        found.setdefault(case, []).extend(editor.heard(address))
    return found


def test_no_right_spec_is_underlined(editor: Editor) -> None:
    cases = [(f"ok/{case.name}", place, text) for case in ok_cases() for place, text in files_of(case).items()]
    shipped = [
        (str(path.relative_to(ROOT)), f"specs/{path.relative_to(folder)}", text_of(path))
        for folder in (ROOT / "specs", WORKSPACE, *sorted((ROOT / "docs/examples").rglob("specs")))
        if not folder.is_relative_to(OWN_STEP_TYPE) and "mistakes" not in folder.parts
        for path in sorted(folder.rglob("*.yaml"))
    ]
    found = problems_of(editor, cases + shipped)
    assert len(found) > 100
    assert {case: problems for case, problems in found.items() if problems} == {}


SHAPE = [case for case in err_cases() if case.name.startswith(OF_SHAPE) and case.name not in NOT_EXPRESSIBLE]


def test_every_mistake_of_shape_is_underlined(editor: Editor) -> None:
    found = problems_of(editor, [(case.name, place, text) for case in SHAPE for place, text in files_of(case).items()])
    assert len(found) > 30
    assert [case for case, problems in found.items() if not problems] == []


STEP = "project: demo\nenvironment: staging\nsteps:\n  - id: load\n    type: docker\n    image: busybox\n"


@pytest.mark.parametrize(
    ("place", "text", "problem"),
    [
        pytest.param(
            FLOW, STEP + "    retrys: 3\n", Problem("Property retrys is not allowed.", "retrys"), id="unknown"
        ),
        pytest.param(
            FLOW, STEP + "    file: a.py\n", Problem("Property file is not allowed.", "file"), id="other-type"
        ),
        pytest.param(
            FLOW, STEP + '    retries: "3"\n', Problem('Incorrect type. Expected "integer".', '"3"'), id="type"
        ),
        pytest.param(
            FLOW,
            STEP.replace("id: load\n    ", ""),
            Problem('Missing property "id".', "t"),
            id="key",
        ),
        pytest.param(
            FLOW,
            STEP + "catchup: lst\n",
            Problem('Value is not accepted. Valid values: "none", "last", "all".', "lst"),
            id="choice",
        ),
        pytest.param(
            f"specs/{PROJECT}/project.yaml",
            "descripton: a project\n",
            Problem("Property descripton is not allowed.", "descripton"),
            id="project",
        ),
        pytest.param(
            f"specs/{PROJECT}/job.test.yaml",
            "tests:\n  - name: a\n    expct: {}\n    expect: {state: success}\n",
            Problem("Property expct is not allowed.", "expct"),
            id="test",
        ),
        pytest.param(
            "specs/flowmill.yaml",
            "environments: {staging: {ref: main}}\nservers: {a: }\nlint: {rules: {uneven-stp: off}}\n",
            Problem("Property uneven-stp is not allowed.", "uneven-stp"),
            id="workspace",
        ),
    ],
)
def test_a_mistake_is_underlined_where_it_stands(editor: Editor, place: str, text: str, problem: Problem) -> None:
    assert editor.problems(place, text) == [problem]


@pytest.mark.parametrize(
    ("text", "offered", "not_offered"),
    [
        pytest.param("project: demo\n|\n", {"environment", "cron", "steps", "on_failure"}, {"project"}, id="flow"),
        pytest.param(
            STEP + "    |\n",
            {"command", "volumes", "pull", "needs", "retries"},
            {"file", "image", "channel"},
            id="docker",
        ),
        pytest.param(
            STEP.replace("docker", "slack").replace("    image: busybox\n", "    |\n"),
            {"text", "channel", "webhook"},
            {"image", "command"},
            id="slack",
        ),
        pytest.param(STEP + "  - id: tell\n    type: |\n", {"docker", "slack"}, {"true", "false"}, id="types"),
        pytest.param(STEP + "catchup: |\n", {"none", "last", "all"}, set(), id="choice"),
        pytest.param(STEP + "on_failure:\n  - type: script\n    |\n", {"command"}, {"needs", "foreach"}, id="handler"),
        pytest.param(
            "project: demo\nenvironment:\n  production:\n    |\n", {"cron", "server"}, {"project"}, id="override"
        ),
        pytest.param("defaults:\n  |\n", {"all", "docker"}, {"id"}, id="defaults"),
    ],
)
def test_what_may_stand_here_is_offered(editor: Editor, text: str, offered: set[str], not_offered: set[str]) -> None:
    found = set(editor.completions(FLOW, text))
    assert (offered - found, not_offered & found) == (set(), set())


def test_a_key_is_offered_with_its_description(editor: Editor) -> None:
    found = editor.completions(FLOW, STEP + "    |\n")["retries"]
    assert found["documentation"] == "further attempts after a failure"
    assert found["insertText"].startswith("retries: ")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("project: demo\ncatch|up: all\n", ("which missed runs are made up for", "* `none`"), id="key"),
        pytest.param(STEP + "    pu|ll: never\n", ("When to pull the image", "* `missing`"), id="key-of-a-type"),
        pytest.param(STEP + "    time|out: 5m\n", ("counts as failed", "```yaml\n20m\n"), id="example"),
    ],
)
def test_a_key_explains_itself(editor: Editor, text: str, words: tuple[str, ...]) -> None:
    found = editor.hover(FLOW, text)
    assert [word for word in words if word not in found] == []
    assert not found.startswith("#")


def test_a_file_can_name_its_schema(editor: Editor) -> None:
    schema = "# yaml-language-server: $schema=../../schema/flow.schema.json\n"
    assert editor.problems("elsewhere/job.yaml", schema + STEP + "    retrys: 3\n") == [
        Problem("Property retrys is not allowed.", "retrys")
    ]
    assert editor.problems("elsewhere/other.yaml", STEP + "    retrys: 3\n") == []
