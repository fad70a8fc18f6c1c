"""The output formats: the same diagnostics for people, for programs, and for the lines of a pull request."""

import json
import os
import pty
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from flowmill.diagnostics import Diagnostic, Related, Severity, Span
from flowmill.pipeline import Compiled
from flowmill.report import formats_in, names, render
from flowmill.report.style import Style
from golden.corpus import FOLDER, WORKSPACE, Case, err_cases
from validating.command import FLOWMILL, flowmill

SPAN = Span("specs/demo/load.yaml", 3, 5, 3, 9)


def compiled(*diagnostics: Diagnostic) -> Compiled:
    return Compiled({}, diagnostics, flows=1)


def case(name: str) -> Case:
    return next(case for case in err_cases() if case.name == name)


def test_every_format_is_a_module_of_its_own() -> None:
    assert {"github", "json", "text"} <= set(names())


def test_a_helper_of_formats_is_no_format(tmp_path: Path) -> None:
    for name in ("table.py", "_cells.py", "notes.txt"):
        (tmp_path / name).touch()
    assert formats_in([str(tmp_path)]) == ["table"]


def test_json_has_the_places_of_the_text(tmp_path: Path) -> None:
    found = case("several-at-once").compile(tmp_path)
    content = json.loads(render(found, "json", Style()))
    entries = content["diagnostics"]
    places = [
        f"{entry['path']}:{entry['line']}:{entry['column']}: {entry['message']} [{entry['code']}]" for entry in entries
    ]
    headlines = [line for line in render(found, "text", Style()).splitlines() if line.startswith("specs/")]
    assert places == headlines
    assert (content["errors"], content["flows"]) == (len(entries), 1)
    assert all((entry["line"], entry["column"]) < (entry["end_line"], entry["end_column"]) for entry in entries)


def test_json_names_the_other_place_that_belongs_to_a_problem(tmp_path: Path) -> None:
    found = case("duplicate-key").compile(tmp_path)
    entry = json.loads(render(found, "json", Style()))["diagnostics"][0]
    assert [(other["line"], other["message"]) for other in entry["related"]] == [(4, "first given here")]


def test_json_of_a_right_flow_is_empty_but_complete(tmp_path: Path) -> None:
    shutil.copytree(WORKSPACE, tmp_path / "specs")
    shutil.copy(FOLDER / "ok/minimal.yaml", tmp_path / "specs/demo")
    ran = flowmill("validate", "specs/demo/minimal.yaml", "--format", "json", cwd=tmp_path)
    assert (ran.code, json.loads(ran.out)) == (0, {"diagnostics": [], "errors": 0, "flows": 1})


def test_github_annotates_the_line(tmp_path: Path) -> None:
    found = case("unknown-server").compile(tmp_path)
    assert render(found, "github", Style()) == (
        "::error file=specs/demo/unknown-server.yaml,line=4,col=9,endLine=4,endColumn=14,title=unknown-server"
        "::there is no server `alhpa` (did you mean `alpha`?)\n"
    )


def test_github_tells_warnings_from_errors(tmp_path: Path) -> None:
    found = case("comment-in-value").compile(tmp_path)
    assert render(found, "github", Style()).startswith("::warning file=specs/demo/comment-in-value.yaml,line=8,col=26,")


COMMANDS = [
    pytest.param("\n::add-mask::demo", r"%0A::add-mask::demo", id="i32-add-mask"),
    pytest.param("\r\n::stop-commands::x", r"%0D%0A::stop-commands::x", id="i32-stop-commands"),
    pytest.param("%0A::error::", r"%250A::error::", id="i32-escaped-already"),
    pytest.param("\x1b[31m", r"\x1b[31m", id="escape-sequence"),
]


@pytest.mark.parametrize(("text", "escaped"), COMMANDS)
def test_i32_no_text_becomes_a_command_for_github(text: str, escaped: str) -> None:
    diagnostic = Diagnostic(Span(f"specs{text}.yaml"), "bad-name", f"`{text}` is wrong", f"not {text}")
    output = render(compiled(diagnostic), "github", Style())
    assert output.count("\n") == 1
    assert f"`{escaped}` is wrong (not {escaped})" in output
    assert output.startswith(f"::error file=specs{escaped.replace(':', '%3A')}.yaml,line=1,")


@pytest.mark.parametrize("text", [param.values[0] for param in COMMANDS], ids=[param.id for param in COMMANDS])
def test_no_text_steers_the_terminal(text: str) -> None:
    diagnostic = Diagnostic(
        Span(f"a{text}.yaml"), "x", text, text, (Related(Span(f"b{text}"), text),), source_line=f"key: {text}"
    )
    output = render(compiled(diagnostic), "text", Style())
    assert re.findall(r"[^\n -~]", output) == []
    assert not [line for line in output.splitlines() if line.startswith("::")]


def test_the_same_problem_is_told_once() -> None:
    found = Compiled({}, (Diagnostic(SPAN, "x", "wrong"),), flows=2)
    assert render(found, "text", Style()).splitlines()[-1] == "1 error in 1 file"


@pytest.mark.parametrize(
    ("errors", "warnings", "summary"),
    [
        (0, 0, "1 flow valid in 0 environments"),
        (0, 2, "1 flow valid in 0 environments, 2 warnings"),
        (1, 0, "1 error in 1 file"),
        (2, 1, "2 errors in 1 file, 1 warning"),
    ],
)
def test_the_summary_counts_what_there_was(errors: int, warnings: int, summary: str) -> None:
    severities = [Severity.ERROR] * errors + [Severity.WARNING] * warnings
    found = [Diagnostic(SPAN, f"x{index}", "wrong", severity=severity) for index, severity in enumerate(severities)]
    assert render(compiled(*found), "text", Style()).splitlines()[-1] == summary


def test_a_long_line_is_cut_around_its_place() -> None:
    line = "x" * 500 + "HERE" + "y" * 500
    diagnostic = Diagnostic(Span("a.yaml", 1, 501, 1, 505), "x", "wrong", source_line=line)
    _, shown, caret, *_ = render(compiled(diagnostic), "text", Style()).splitlines()
    assert len(shown) < 140
    assert shown[caret.index("^") : caret.rindex("^") + 1] == "HERE"


SECRETS = [
    ("password: hunter2", "password: ***"),
    ("passwrod: hunter2", "passwrod: ***"),
    ('"password": "hunter2"', '"password": ***'),
    ("- token: hunter2", "- token: ***"),
    ("password: ${{ secrets.mail.password }}", "password: ${{ secrets.mail.password }}"),
    ("command: login --password=hunter2 now", "command: login --password=*** now"),
    ("env: {API_KEY: hunter2, MODE: full}", "env: {API_KEY: ***, MODE: full}"),
]


@pytest.mark.parametrize(("line", "shown"), SECRETS, ids=[line for line, _ in SECRETS])
def test_i24_a_value_behind_a_credential_is_not_shown(line: str, shown: str) -> None:
    """What is left is for the reader: the key, a reference to a secret, the rest of the line."""
    is_known = line.startswith("passwrod")
    diagnostic = Diagnostic(Span("a.yaml", 1, 1, 1, 5), "x", "wrong", secret=is_known, source_line=line)
    assert render(compiled(diagnostic), "text", Style()).splitlines()[1] == f"   1 | {shown}"


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    """A workspace with one mistake."""
    case("unknown-server").lay_out(tmp_path)
    return tmp_path


ESCAPE = b"\x1b["


def test_a_pipe_gets_no_colours_unless_asked(wrong: Path) -> None:
    assert ESCAPE not in flowmill("validate", cwd=wrong).out
    assert ESCAPE in flowmill("validate", "--color", cwd=wrong).out


@pytest.mark.parametrize(
    ("arguments", "environ", "coloured"),
    [
        pytest.param([], {}, True, id="terminal"),
        pytest.param([], {"NO_COLOR": "1"}, False, id="no-color-variable"),
        pytest.param(["--no-color"], {}, False, id="no-color-option"),
        pytest.param(["--color"], {"NO_COLOR": "1"}, True, id="the-option-wins"),
    ],
)
def test_a_terminal_gets_colours(wrong: Path, arguments: list[str], environ: dict[str, str], coloured: bool) -> None:
    ours, theirs = pty.openpty()
    kept = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    with subprocess.Popen(
        [FLOWMILL, "validate", *arguments], cwd=wrong, env={**kept, **environ}, stdout=theirs
    ) as process:
        os.close(theirs)
        output = read_all(ours)
    assert process.returncode == 1
    assert (ESCAPE in output) == coloured


def read_all(terminal: int) -> bytes:
    """Everything until the other side is closed, which a terminal tells by an error."""
    output = b""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:
            piece = b""
        if not piece:
            os.close(terminal)
            return output
        output += piece


def test_without_colours_the_text_is_the_same(wrong: Path) -> None:
    coloured = flowmill("validate", "--color", cwd=wrong).text
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == flowmill("validate", cwd=wrong).text


def test_an_output_that_knows_only_ascii_gets_escapes(wrong: Path) -> None:
    (wrong / "specs/demo/unknown-server.yaml").write_text("project: demo\nserver: café\n", encoding="utf-8")
    ran = flowmill("validate", cwd=wrong, environ={"PYTHONIOENCODING": "ascii"})
    assert ran.code == 1
    assert b"`caf\\xe9`" in ran.out
