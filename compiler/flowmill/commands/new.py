"""`flowmill new`: write a project or a flow to begin with."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flowmill.commands._options import COLOUR, style_for, write

if TYPE_CHECKING:
    from flowmill.workspace import Files
    from flowmill_tasks.starter import Starter

DIRECTORY = click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("specs"),
    show_default=True,
    help="The folder of the workspace.",
)


class _StepType(click.ParamType[str]):
    """A step type that has a starter; looked up late, so that the other verbs start fast."""

    name = "type"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return f"[{'|'.join(_starters())}]"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value not in _starters():
            self.fail(f"there is no step type `{value}` to begin with; there are: {', '.join(_starters())}", param, ctx)
        return value


def _starters() -> "dict[str, Starter]":
    from flowmill_tasks.registry import discover

    return {word: step.starter for word, step in discover().items() if step.starter is not None}


@click.group("new", short_help="Write a project or a flow to begin with.")
def command() -> None:
    """Write a project or a flow to begin with: it validates at once, and its comments say what to change.

    \b
    Examples:
      flowmill new project shop
      flowmill new flow shop/orders
      flowmill new flow shop/report --type email
    """


@command.command("project")
@click.argument("name")
@DIRECTORY
def project(name: str, folder: Path) -> int:
    """Write the file of the project NAME, and flowmill.yaml where there is none yet.

    \b
    Examples:
      flowmill new project shop
      flowmill new project shop --dir flows
    """
    from flowmill import starters
    from flowmill.workspace import PROJECT_FILE, WORKSPACE_FILE, is_there

    _check_name(name)
    workspace = folder / WORKSPACE_FILE
    missing = {} if is_there(workspace) else {workspace: starters.WORKSPACE}
    _write_all({**missing, folder / name / PROJECT_FILE: starters.filled(starters.PROJECT, project=name)})
    _tell(f"flowmill new flow {name}/first{_where(folder)}", f"flowmill validate {folder}")
    return 0


@command.command("flow")
@click.argument("name", metavar="PROJECT/NAME")
@click.option("--type", "step_type", type=_StepType(), default="script", show_default=True, help="Of its step.")
@DIRECTORY
@COLOUR
def flow(name: str, step_type: str, folder: Path, colour: bool | None) -> int:
    """Write a flow of the project PROJECT, and a file with its tests.

    \b
    Examples:
      flowmill new flow shop/orders
      flowmill new flow shop/report --type email
    """
    project_name, slash, flow_name = name.partition("/")
    if not slash:
        raise click.UsageError(f"`{name}` is not of the form PROJECT/NAME, such as shop/orders")
    _check_name(project_name)
    _check_name(flow_name)
    files = _workspace(folder, colour)
    if files is None:
        return 1
    _check_project(folder, project_name)
    if not _with_project(files, folder / project_name, colour):
        return 1
    spec = folder / project_name / f"{flow_name}.yaml"
    _check_other_ending(spec)
    _write_all(_texts(files, spec, step_type))
    _tell(f"flowmill validate {spec}", f"flowmill test {spec}", f"flowmill run {spec} --dry-run")
    return 0


def _check_name(name: str) -> None:
    from flowmill.spec.values import NAME, NAME_RULE

    if not NAME.fullmatch(name):
        raise click.UsageError(f"`{name}` is not a name: {NAME_RULE}")


def _where(folder: Path) -> str:
    return "" if folder == Path("specs") else f" --dir {folder}"


def _workspace(folder: Path, colour: bool | None) -> "Files | None":
    """The workspace of a folder; None where it is wrong, when its mistakes have been printed."""
    from flowmill.workspace import WORKSPACE_FILE, is_there, load

    if not is_there(folder / WORKSPACE_FILE):
        raise click.UsageError(f"there is no {WORKSPACE_FILE} in `{folder}`; `flowmill new project NAME` writes one")
    files = load(folder, frozenset())
    return files if _is_right(files, colour) else None


def _with_project(files: "Files", folder: Path, colour: bool | None) -> bool:
    """Read the project's file as well; false where it is wrong, when its mistakes have been printed."""
    from flowmill.workspace import load_project

    load_project(files, folder)
    return _is_right(files, colour)


def _is_right(files: "Files", colour: bool | None) -> bool:
    from flowmill.pipeline import compile_files
    from flowmill.report import render
    from flowmill_tasks.registry import discover

    found = compile_files(files, discover())
    if found.errors:
        write(render(found, "text", style_for(sys.stderr, colour)), sys.stderr)
    return not found.errors


def _check_other_ending(spec: Path) -> None:
    """A flow may lie there as `.yml`, and two of one name are refused."""
    from flowmill.workspace import is_there

    other = spec.with_suffix(".yml")
    if is_there(other):
        raise click.ClickException(f"`{other}` is there already, and nothing was written")


def _check_project(folder: Path, name: str) -> None:
    from flowmill.suggest import did_you_mean
    from flowmill.workspace import PROJECT_FILE, is_there

    if is_there(folder / name / PROJECT_FILE):
        return
    others = [path.parent.name for path in folder.glob(f"*/{PROJECT_FILE}")]
    hint = did_you_mean(name, others)
    likely = f"{hint} Or make it: " if hint.startswith("did") else "make it with "
    raise click.ClickException(f"there is no project `{name}`; {likely}`flowmill new project {name}{_where(folder)}`")


def _texts(files: "Files", spec: Path, step_type: str) -> dict[Path, str]:
    """The flow and its tests, by their paths."""
    from flowmill import starters

    project_name, flow_name = spec.parent.name, spec.stem
    environments, server = _target(files)
    starter = _starters()[step_type]
    given = _given(files, project_name, step_type, environments)
    needed = "".join(line for key, line in starter.needed.items() if key not in given)
    steps = starters.filled(starter.step, needed=needed).rstrip("\n")
    spelt = f"[{', '.join(map(starters.spelt, environments))}]"
    names = {"environments": spelt, "server": starters.spelt(server), "project": starters.spelt(project_name)}
    text = starters.filled(starters.FLOW, steps=steps, flow=flow_name, **names)
    expected = starters.filled(starter.expected, name=f"{project_name}.{flow_name}")
    return {
        spec: _schema_line(spec) + text,
        spec.with_suffix(".test.yaml"): starters.filled(starters.TESTS, expected=expected),
    }


def _target(files: "Files") -> tuple[list[str], str]:
    """The environments that the first server serves, and that server."""
    workspace = files.spec
    if workspace is None:
        raise ValueError("a workspace that is wrong has been told before")
    label, server = next(iter(workspace.servers.items()))
    return server.environments or list(workspace.environments), label


def _given(files: "Files", project: str, step_type: str, environments: list[str]) -> set[str]:
    """The keys that a step of this type has by default in every one of the environments, whoever gives them."""
    from flowmill.elaborating.inheritance import shared_defaults
    from flowmill_tasks.registry import discover

    by_environment = (shared_defaults(project, files, discover(), name, step_type) for name in environments)
    return set.intersection(*map(set, by_environment))


def _schema_line(spec: Path) -> str:
    """The line by which editors find the schema, where one lies beside the folder of the workspace."""
    schema = spec.parents[2] / "schema" / "flow.schema.json" if len(spec.parents) > 2 else Path("schema")
    if not schema.is_file():
        return ""
    return f"# yaml-language-server: $schema={os.path.relpath(schema, spec.parent)}\n"


def _write_all(texts: Mapping[Path, str]) -> None:
    """Write the files, each whole; none of them when one is there already."""
    from flowmill.workspace import is_there

    for path in texts:
        if is_there(path):
            raise click.ClickException(f"`{path}` is there already, and nothing was written")
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        part.write_text(text, encoding="utf-8")
        part.replace(path)
        write(f"wrote {path}\n")


def _tell(*commands: str) -> None:
    write("next:\n" + "".join(f"  {line}\n" for line in commands))
