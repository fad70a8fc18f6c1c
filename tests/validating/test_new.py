"""`flowmill new`: what it writes is right at once, and it never writes over anything."""

from pathlib import Path

import pytest

from flowmill.starters import spelt
from flowmill_tasks.registry import discover
from support.flows import write_distribution
from validating.command import Ran
from validating.command import flowmill as command

TYPES = [word for word, step in discover().items() if step.starter]


def flowmill(*arguments: str, cwd: Path) -> Ran:
    """The command, with time enough for a busy machine."""
    return command(*arguments, cwd=cwd)


def new(tmp_path: Path, *arguments: str) -> Ran:
    return flowmill("new", *arguments, cwd=tmp_path)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder with a project."""
    assert new(tmp_path, "project", "shop").code == 0
    return tmp_path


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_project_brings_a_workspace_where_there_is_none(shop: Path) -> None:
    assert files(shop) == {"specs/flowmill.yaml", "specs/shop/project.yaml"}
    workspace = (shop / "specs/flowmill.yaml").read_bytes()
    done = new(shop, "project", "office")
    assert done.text.splitlines()[0] == "wrote specs/office/project.yaml"
    assert (shop / "specs/flowmill.yaml").read_bytes() == workspace


@pytest.mark.parametrize("step_type", TYPES)
@pytest.mark.parametrize("with_defaults", [True, False])
def test_a_flow_validates_and_passes_its_test_at_once(shop: Path, step_type: str, with_defaults: bool) -> None:
    if with_defaults:
        workspace = shop / "specs/flowmill.yaml"
        workspace.write_text(workspace.read_text().replace("# defaults:", "defaults:").replace("#   ", "  "))
    done = new(shop, "flow", "shop/orders", "--type", step_type)
    assert (done.code, done.error) == (0, "")
    assert flowmill("validate", cwd=shop).text == "1 flow valid in 2 environments\n"
    assert flowmill("test", cwd=shop).text.splitlines()[0] == "specs/shop/orders.test.yaml: 1 passed"
    spec = (shop / "specs/shop/orders.yaml").read_text()
    body = "\n".join(line for line in spec.splitlines() if not line.startswith("#"))
    assert ("secrets." in body) == (step_type in ("email", "slack") and not with_defaults)


def test_every_step_type_that_ships_has_a_starter_of_its_own(shop: Path) -> None:
    assert sorted(discover()) == TYPES
    shown = new(shop, "flow", "--help").text
    assert f"[{'|'.join(TYPES)}]" in shown


GREET = """\
from flowmill_tasks.base import Output, Step, StepRun
from flowmill_tasks.fields import Text
from flowmill_tasks.starter import Starter


class Greet(Step):
    step_type = "greet"
    summary = "Greet somebody"
    starter = Starter("  - {id: greet, type: greet, whom: world}\\n", "      steps: {greet: {whom: world}}")
    whom: Text

    def execute(self, run: StepRun) -> Output:
        return Output()


class Silent(Greet):
    step_type = "silent"
    starter = None
"""


def test_a_step_type_of_another_package_brings_its_own(shop: Path) -> None:
    environ = {"PYTHONPATH": str(write_distribution(shop / "site", "greeting", GREET))}

    def run(*arguments: str) -> Ran:
        return command(*arguments, cwd=shop, environ=environ)

    assert run("new", "flow", "shop/hello", "--type", "greet").code == 0
    assert run("test").text.splitlines()[0] == "specs/shop/hello.test.yaml: 1 passed"
    assert run("new", "flow", "shop/other", "--type", "silent").code == 2


def test_the_commands_that_it_names_work(shop: Path) -> None:
    lines = new(shop, "flow", "shop/orders").text.splitlines()
    named = lines[lines.index("next:") + 1 :]
    assert [flowmill(*line.split()[1:], cwd=shop).code for line in named] == [0, 0, 0]


def test_the_first_server_and_what_it_serves_are_named(tmp_path: Path) -> None:
    (tmp_path / "specs").mkdir()
    servers = "servers: {lab: {environments: [trial]}, big: {}}"
    (tmp_path / "specs/flowmill.yaml").write_text(f"environments: {{live: {{ref: a}}, trial: {{ref: b}}}}\n{servers}\n")
    new(tmp_path, "project", "shop")
    new(tmp_path, "flow", "shop/orders")
    assert "environment: [trial]\nserver: lab\n" in (tmp_path / "specs/shop/orders.yaml").read_text()
    assert flowmill("validate", cwd=tmp_path).code == 0


DEFAULTS = {
    "project": ("shop/project.yaml", "defaults: {email: {from: a@example.org, smtp: '${{ secrets.mail }}'}}\n", []),
    "part": ("shop/project.yaml", "defaults: {email: {from: a@example.org}}\n", ["smtp"]),
    "environment": (
        "flowmill.yaml",
        "environments: {staging: {ref: a, defaults: {email: {from: a@example.org}}}, production: {ref: b}}\n"
        "servers: {server-01: {}}\n",
        ["from", "smtp"],
    ),
}


@pytest.mark.parametrize("case", DEFAULTS)
def test_a_key_that_a_default_gives_everywhere_is_not_written(shop: Path, case: str) -> None:
    name, text, needed = DEFAULTS[case]
    (shop / "specs" / name).write_text(text)
    assert new(shop, "flow", "shop/mails", "--type", "email").code == 0
    assert flowmill("validate", cwd=shop).code == 0
    lines = (shop / "specs/shop/mails.yaml").read_text().splitlines()
    assert [key for key in ("from", "smtp") if any(line.startswith(f"    {key}:") for line in lines)] == needed


@pytest.mark.parametrize("name", ["null", "true", "no", "12", "1e3", "0x1f", "0o17", "2026-01-01", "1_000"])
def test_a_name_that_yaml_would_read_otherwise_is_quoted(name: str) -> None:
    assert spelt(name) == f'"{name}"'
    assert spelt(f"x{name}") == f"x{name}"


@pytest.mark.parametrize("name", ["null", "1e3"])
def test_a_flow_of_such_names_is_right_at_once(tmp_path: Path, name: str) -> None:
    (tmp_path / "specs").mkdir()
    workspace = f"environments: {{'{name}': {{ref: a}}}}\nservers: {{'{name}': {{environments: ['{name}']}}}}\n"
    (tmp_path / "specs/flowmill.yaml").write_text(workspace)
    assert new(tmp_path, "project", name).code == 0
    assert new(tmp_path, "flow", f"{name}/{name}").code == 0
    assert f'project: "{name}"\n' in (tmp_path / f"specs/{name}/{name}.yaml").read_text()
    assert flowmill("validate", cwd=tmp_path).text == "1 flow valid in 1 environment\n"
    assert flowmill("test", cwd=tmp_path).text.splitlines()[0] == f"specs/{name}/{name}.test.yaml: 1 passed"


def test_editors_are_told_where_the_schema_lies(shop: Path) -> None:
    flowmill("schema", cwd=shop)
    new(shop, "flow", "shop/orders")
    first = (shop / "specs/shop/orders.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=../../schema/flow.schema.json"


@pytest.mark.parametrize("name", ["orders.yaml", "orders.yml", "orders.test.yaml"])
def test_nothing_is_written_over(shop: Path, name: str) -> None:
    (shop / "specs/shop" / name).write_text("# mine\n")
    before = files(shop)
    done = new(shop, "flow", "shop/orders")
    assert (done.code, done.text) == (1, "")
    assert f"`specs/shop/{name}` is there already, and nothing was written" in done.error
    assert files(shop) == before
    assert (shop / "specs/shop" / name).read_text() == "# mine\n"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        pytest.param(("project", "My Shop"), 2, "`My Shop` is not a name: names are lower-case", id="project"),
        pytest.param(("flow", "shop/../x"), 2, "`../x` is not a name", id="path"),
        pytest.param(("flow", "shop"), 2, "`shop` is not of the form PROJECT/NAME", id="no flow"),
        pytest.param(("flow", "shpo/x"), 1, "there is no project `shpo`; did you mean `shop`?", id="misspelt"),
        pytest.param(("flow", "hr/x"), 1, "make it with `flowmill new project hr`", id="no project"),
        pytest.param(("flow", "shop/x", "--dir", "flows"), 2, "there is no flowmill.yaml in", id="no workspace"),
        pytest.param(("flow", "shop/x", "--type", "emial"), 2, "there is no step type `emial` to", id="type"),
        pytest.param(("project", "shop"), 1, "`specs/shop/project.yaml` is there already", id="twice"),
    ],
)
def test_a_mistake_is_told_with_what_to_do(shop: Path, arguments: tuple[str, ...], code: int, message: str) -> None:
    before = files(shop)
    done = new(shop, *arguments)
    assert (done.code, done.text) == (code, "")
    assert message in done.error
    assert files(shop) == before


def test_a_broken_project_is_told_by_its_mistakes(shop: Path) -> None:
    (shop / "specs/shop/project.yaml").write_text("defaults: {emial: {}}\nonwer: a@example.org\n")
    done = new(shop, "flow", "shop/orders")
    assert (done.code, done.text) == (1, "")
    assert "specs/shop/project.yaml:2:1: unknown key `onwer`" in done.error


def test_a_broken_workspace_is_told_by_its_mistakes(shop: Path) -> None:
    (shop / "specs/flowmill.yaml").write_text("environments: {}\n")
    done = new(shop, "flow", "shop/orders")
    assert (done.code, done.text) == (1, "")
    assert "specs/flowmill.yaml:1:" in done.error
