"""`flowmill state` as a person uses it, on this machine; it needs neither Prefect nor a server."""

import json
import shutil
from pathlib import Path

import pytest

from golden.corpus import FOLDER, WORKSPACE
from validating.command import Ran, flowmill

FLOW = """\
project: demo
environment: [staging, production]
server: alpha
timezone: America/Chicago
last_success: {default: 1970-01-01}
steps:
  - {id: load, type: script, command: [load, "${{ last_success.start | date }}"]}
"""
SPEC = "specs/demo/trips.yaml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace with a flow that keeps its last success, one whose default is an expression, and one without."""
    shutil.copytree(WORKSPACE, tmp_path / "specs")
    (tmp_path / SPEC).write_text(FLOW)
    (tmp_path / "specs/demo/stops.yaml").write_text(FLOW.replace("1970-01-01", '"${{ run.start - days(7) }}"'))
    shutil.copy(FOLDER / "ok/minimal.yaml", tmp_path / "specs/demo")
    return tmp_path


def state(folder: Path, *arguments: str, **environ: str) -> Ran:
    return flowmill("state", *arguments, cwd=folder, environ=environ)


def test_nothing_is_kept_at_first(folder: Path) -> None:
    ran = state(folder, "show")
    assert (ran.code, ran.err) == (0, b"")
    assert ran.text.splitlines() == [
        "flow        environment  last success  default",
        "demo.stops  staging      -             ${{ run.start - days(7) }}",
        "demo.stops  production   -             ${{ run.start - days(7) }}",
        "demo.trips  staging      -             1970-01-01",
        "demo.trips  production   -             1970-01-01",
    ]
    assert not (folder / ".flowmill").exists()


TIMES = {
    "2026-07-01": "2026-07-01T00:00:00-05:00",
    "2026-01-31T06:00": "2026-01-31T06:00:00-06:00",
    "2026-01-31 06:00:07": "2026-01-31T06:00:07-06:00",
    "2026-01-31T06:00+01:00": "2026-01-30T23:00:00-06:00",
    "2026-01-31T06:00Z": "2026-01-31T00:00:00-06:00",
}


@pytest.mark.parametrize("time", TIMES)
def test_a_time_is_set_in_the_zone_of_the_flow(folder: Path, time: str) -> None:
    ran = state(folder, "set", SPEC, time, "--env", "staging")
    assert (ran.code, ran.err) == (0, b"")
    assert ran.text == f"last success of demo.trips in staging: {TIMES[time]} (kept in .flowmill/state/)\n"
    assert state(folder, "show", SPEC).text.splitlines()[1:] == [
        f"demo.trips  staging      {TIMES[time]}  1970-01-01",
        "demo.trips  production   -                          1970-01-01",
    ]


def test_it_can_be_set_back_and_taken_away(folder: Path) -> None:
    for time in ("2026-07-01", "2026-06-01"):
        state(folder, "set", SPEC, time, "--env", "staging")
    shown = json.loads(state(folder, "show", "--env", "staging", "--format", "json").text)
    assert shown[1] == {
        "flow": "demo.trips",
        "environment": "staging",
        "start": "2026-06-01T00:00:00-05:00",
        "default": "1970-01-01",
    }
    ran = state(folder, "reset", SPEC, "--env", "staging")
    assert ran.text == "last success of demo.trips in staging: forgotten in .flowmill/state/; its default holds\n"
    assert "-             1970-01-01" in state(folder, "show", SPEC).text


def test_a_dry_run_shows_the_time_and_leaves_it(folder: Path) -> None:
    state(folder, "set", SPEC, "2026-07-01", "--env", "staging")
    before = {path: path.read_bytes() for path in (folder / ".flowmill").rglob("*") if path.is_file()}
    ran = flowmill("run", SPEC, "--dry-run", cwd=folder)
    assert ran.text.splitlines()[1] == "last_success.start: 2026-07-01T00:00:00-05:00"
    assert "  load 2026-07-01" in ran.text.splitlines()
    assert {path: path.read_bytes() for path in (folder / ".flowmill").rglob("*") if path.is_file()} == before
    assert flowmill("run", SPEC, "--dry-run", "--env", "production", cwd=folder).text.splitlines()[1] == (
        "last_success.start: 1970-01-01T00:00:00-06:00"
    )


REFUSED = {
    "no-time": (["set", SPEC, "yesterday", "--env", "staging"], "`yesterday` is neither a date nor a time, such as"),
    "no-date": (["set", SPEC, "2026-02-30", "--env", "staging"], "`2026-02-30` is neither a date nor a time"),
    "future": (["set", SPEC, "2999-01-01", "--env", "staging"], "`2999-01-01` lies in the future"),
    "environment": (["set", SPEC, "2026-07-01", "--env", "stagin"], "did you mean `staging`?"),
    "environment-to-show": (["show", "--env", "stagin"], "no flow here names the environment `stagin`; did you mean"),
    "no-environment": (["reset", SPEC], "Missing option '--env'"),
    "keeps-none": (
        ["set", "specs/demo/minimal.yaml", "2026-07-01", "--env", "staging"],
        "does not keep the time of its last success in staging; add `last_success: {default: 1970-01-01}` to the flow",
    ),
    "keeps-none-to-reset": (["reset", "specs/demo/minimal.yaml", "--env", "staging"], "add `last_success:"),
    "folder": (["reset", "specs/demo", "--env", "staging"], "`specs/demo` is a folder; name one spec"),
    "verb": (["shwo"], "Did you mean 'show'?"),
}


@pytest.mark.parametrize(("arguments", "message"), REFUSED.values(), ids=list(REFUSED))
def test_a_wrong_command_line_is_2(folder: Path, arguments: list[str], message: str) -> None:
    ran = state(folder, *arguments)
    assert (ran.code, ran.out) == (2, b"")
    assert message in ran.error
    assert not (folder / ".flowmill").exists()


@pytest.mark.parametrize(
    "arguments", [["show"], ["set", SPEC, "2026-07-01", "--env", "staging"], ["reset", SPEC, "--env", "staging"]]
)
def test_a_wrong_spec_is_1_and_changes_nothing(folder: Path, arguments: list[str]) -> None:
    (folder / SPEC).write_text(FLOW.replace("default: 1970-01-01", "default: soon"))
    ran = state(folder, *arguments)
    assert (ran.code, ran.out) == (1, b"")
    assert "expected a date or a time" in ran.error
    assert not (folder / ".flowmill").exists()


def test_a_damaged_file_is_1_and_hides_no_other(folder: Path) -> None:
    for environment in ("staging", "production"):
        state(folder, "set", SPEC, "2026-07-01", "--env", environment)
    (folder / ".flowmill/state/demo.trips.staging.json").write_text("{")
    ran = state(folder, "show", SPEC)
    assert ran.code == 1
    assert "demo.trips  production   2026-07-01T00:00:00-05:00" in ran.text
    assert ran.error.startswith("Error: .flowmill/state/demo.trips.staging.json cannot be used (")
    assert state(folder, "reset", SPEC, "--env", "staging").code == 0
    assert state(folder, "show", SPEC).code == 0


def test_a_workspace_without_such_flows_says_so(folder: Path) -> None:
    ran = state(folder, "show", "specs/demo/minimal.yaml")
    assert (ran.code, ran.text) == (0, "no flow here keeps the time of its last success\n")
    assert state(folder, "show", "specs/demo/minimal.yaml", "--format", "json").text == "[]\n"


@pytest.mark.parametrize("verb", ["show", "set", "reset"])
def test_every_verb_explains_itself_with_examples(folder: Path, verb: str) -> None:
    assert "Examples:\n  " in state(folder, verb, "--help").text
