"""The documentation says what the program does: outputs, tables, links, examples, promises."""

import pkgutil
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from pydantic import BaseModel

from flowmill import commands
from flowmill.expressions.functions import FILTERS, FUNCTIONS
from flowmill.spec.bind import keys_of
from flowmill.spec.flow import Concurrency, FlowSpec, Parameter, StepKeys
from flowmill.spec.workspace import Environment, Project, Server, Workspace
from flowmill_tasks.base import Step, StepFailed
from flowmill_tasks.registry import discover
from support.steps import run_step, step_run
from support.waiting import PATIENCE

if TYPE_CHECKING:
    from support.prefect_server import PrefectServer

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/**/*.md"))]
DECISIONS = sorted((ROOT / "docs/decisions").glob("*.md"))
WORKFLOWS = [ROOT / ".github/workflows/ci.yml", ROOT / "docs/ci/github-actions.yml"]
PACKAGE = ROOT / "docs/examples/step-type"

LINK = re.compile(r"\[[^\]]*\]\((?!https?://)([^)#\s]*)(#[^)\s]+)?\)")
PINNED = re.compile(r"[\w-]+/[\w-]+@[0-9a-f]{40}")


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def prose(path: Path) -> str:
    """A page without its code."""
    return re.sub(r"```.*?```|`[^`\n]*`", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)


@pytest.mark.prefect
def test_every_generated_part_is_what_the_program_gives_now(prefect_server: "PrefectServer") -> None:
    checked = subprocess.run(
        [sys.executable, ROOT / "docs/regenerate.py", "--check"], capture_output=True, text=True, timeout=900
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_every_link_leads_somewhere(page: Path) -> None:
    for path, anchor in LINK.findall(prose(page)):
        target = page.parent / path if path else page
        assert target.exists(), f"{shown(page)} links to {path}"
        assert not anchor or anchor[1:] in set(anchors(target)), f"{shown(page)} links to {path}{anchor}"


def anchors(page: Path) -> Iterator[str]:
    """The names that GitHub gives to the headings of a page."""
    for heading in re.findall(r"(?m)^#+ (.+)$", page.read_text(encoding="utf-8")):
        yield re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_one_sentence_stands_on_one_line(page: Path) -> None:
    for line in prose(page).splitlines():
        text = re.sub(r"^\d+\. ", "", line)
        assert text.startswith(("|", "#", "<!--")) or not re.search(r"\w[)\]]*\. [A-Z]", text), line


def test_the_readme_names_every_verb() -> None:
    table = (ROOT / "README.md").read_text(encoding="utf-8")
    verbs = [info.name for info in pkgutil.iter_modules(commands.__path__) if not info.name.startswith("_")]
    assert [verb for verb in verbs if f"| `flowmill {verb}" not in table] == []


@pytest.mark.parametrize("step_type", [step for step in discover().values() if step.__module__.startswith("flowmill_")])
def test_every_step_type_has_its_section_and_its_outputs(step_type: type[Step]) -> None:
    page = (ROOT / "docs/steps.md").read_text(encoding="utf-8")
    word = step_type.step_type
    assert f"\n## {word}\n" in page
    assert f"<!-- keys of: {word} -->" in page
    assert f"<!-- content of: specs/examples/{word}.yaml -->" in page
    table = page.partition("## What a step yields")[2].partition("\n## ")[0]
    assert [name for name in step_type.output.model_fields if f"`{name}`" not in table] == []


@pytest.mark.parametrize("name", sorted([*FILTERS, *FUNCTIONS]))
def test_every_function_of_the_expressions_has_an_example(name: str) -> None:
    page = (ROOT / "docs/language.md").read_text(encoding="utf-8")
    examples = page.partition("<!-- table of: expressions -->")[2].partition("\n\n`date`")[0]
    assert re.search(rf"\b{name}\b", examples)


def test_contributing_explains_every_folder_of_tests() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    folders = {path.relative_to(ROOT).parts[1] for path in (ROOT / "tests").glob("*/**/*.py")}
    assert [folder for folder in sorted(folders) if f"| `tests/{folder}` |" not in page] == []


@pytest.mark.parametrize("record", DECISIONS, ids=shown)
def test_a_decision_has_context_choice_and_price(record: Path) -> None:
    headings = re.findall(r"(?m)^#+ .+$", record.read_text(encoding="utf-8"))
    assert re.match(rf"# {record.name[:3]}: ", headings[0])
    assert headings[1:] == ["## Context", "## Choice", "## Price"]


def test_decisions_are_numbered_without_gaps() -> None:
    assert [record.name[:3] for record in DECISIONS] == [f"{number:03}" for number in range(1, len(DECISIONS) + 1)]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=shown)
def test_a_workflow_may_do_little_and_its_actions_are_pinned(workflow: Path) -> None:
    content = yaml.safe_load(workflow.read_text(encoding="utf-8"))
    assert content["permissions"] == {}
    for name, job in content["jobs"].items():
        commenting = {"pull-requests": "write"} if name == "comment" else {}
        assert job["permissions"] == {"contents": "read", **commenting}
        for step in (step for step in job["steps"] if "uses" in step):
            assert PINNED.fullmatch(step["uses"])
            assert "checkout" not in step["uses"] or step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("workspace", ["specs", "cluster/specs"])
def test_an_example_workspace_is_right(workspace: str) -> None:
    done = flowmill("validate", str(ROOT / "docs/examples" / workspace))
    assert (done.returncode, done.stderr) == (0, "")


EVERY_KEY = [
    *((model, "specs/shop/every_key.yaml") for model in (FlowSpec, Parameter, Concurrency, StepKeys)),
    *((model, "specs/flowmill.yaml") for model in (Workspace, Environment, Server)),
    (Project, "specs/shop/project.yaml"),
]


@pytest.mark.parametrize(("model", "example"), EVERY_KEY)
def test_an_example_has_every_key(model: type[BaseModel], example: str) -> None:
    written = re.findall(r"\b(\w+):", (ROOT / "docs/examples" / example).read_text(encoding="utf-8"))
    assert set(keys_of(model)) - set(written) == set()


@pytest.mark.parametrize("spec", sorted((ROOT / "docs/examples/mistakes/shop").glob("[!p]*.yaml")), ids=shown)
def test_every_mistake_of_the_examples_is_reported(spec: Path) -> None:
    assert flowmill("validate", str(spec)).returncode == 1


def test_validating_imports_neither_prefect_nor_docker() -> None:
    program = (
        "import sys, flowmill.cli\n"
        f"sys.argv = ['flowmill', 'validate', {str(ROOT / 'specs')!r}]\n"
        "try:\n    flowmill.cli.main()\n"
        "except SystemExit as leaving:\n    assert leaving.code == 0\n"
        "print({'prefect', 'docker', 'slack_sdk', 'httpx', 'smtplib'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the example package, installed as its users would."""
    folder = tmp_path_factory.mktemp("installed")
    install = ["install", "--quiet", "--no-deps", "--no-build-isolation", "--target", str(folder), str(PACKAGE)]
    subprocess.run([sys.executable, "-m", "pip", "--disable-pip-version-check", *install], check=True)
    return folder


def test_the_step_type_of_the_guide_is_found_and_checked(installed: Path, tmp_path: Path) -> None:
    spec = PACKAGE / "specs/tools/load.yaml"
    assert flowmill("validate", str(spec), PYTHONPATH=str(installed)).returncode == 0
    assert flowmill("validate", str(spec)).stdout.count("[unknown-type]") == 1
    flowmill("schema", "--dir", str(tmp_path), PYTHONPATH=str(installed))
    assert '"wait_for_port"' in (tmp_path / "flow.schema.json").read_text(encoding="utf-8")


def test_the_step_type_of_the_guide_waits_for_a_port(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(installed))
    wait_for_port = import_module("flowmill_network.wait_for_port").WaitForPort
    with listening() as port:
        open_port = wait_for_port(host="127.0.0.1", port=port)
        assert run_step(open_port, step_run(tmp_path)).model_dump()["attempts_made"] == 1
    closed = wait_for_port(host="127.0.0.1", port=port, within=0)
    with pytest.raises(StepFailed, match=rf"did not accept a connection on port {port}"):
        run_step(closed, step_run(tmp_path))


@contextmanager
def listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def flowmill(*arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    command = [str(Path(sys.executable).with_name("flowmill")), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE, env={"PATH": "/usr/bin:/bin", **variables}
    )
