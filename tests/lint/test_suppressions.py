"""Comments that except lines from rules: which line they are about, until when, and when they are told to be unused."""

from contextlib import chdir
from datetime import date
from pathlib import Path

import pytest

from flowmill.diagnostics import Diagnostic
from flowmill.proving import prove
from lint.workspace import FLOW, UNEVEN, lay_out

TODAY = date(2026, 11, 26)


def found(folder: Path, files: dict[str, str], only: str | None = None) -> list[Diagnostic]:
    root = lay_out(folder, files)
    with chdir(folder):
        chosen = frozenset({(root / only).absolute()}) if only else None
        return list(prove(root, chosen, today=TODAY).diagnostics)


def codes(diagnostics: list[Diagnostic]) -> list[str]:
    return [it.code for it in diagnostics]


def with_line(text: str, comment: str) -> str:
    return text.replace('* *"\n', f'* *"{comment}\n')


@pytest.mark.parametrize(
    ("comment", "left"),
    [
        pytest.param("", ["uneven-step"], id="none"),
        pytest.param("  # flowmill: ignore[uneven-step] a reason", [], id="behind the value"),
        pytest.param("  #flowmill:ignore[uneven-step]: a reason", [], id="without spaces"),
        pytest.param("  # flowmill: ignore[ uneven-step ] a reason", [], id="spaces in brackets"),
        pytest.param("  # flowmill: ignore[uneven-step] until 2026-11-26 a reason", [], id="its last day"),
        pytest.param("  # flowmill: ignore[uneven-step], a reason until 2020-01-01", [], id="a day in the reason"),
        pytest.param(
            "  # flowmill: ignore[uneven-step] until 2026-11-25: a reason",
            ["uneven-step", "expired-suppression"],
            id="the day after",
        ),
        pytest.param("  # ignore[uneven-step] a reason", ["uneven-step"], id="not ours"),
        pytest.param("  # flowmill ignore[uneven-step] a reason", ["uneven-step"], id="an ordinary sentence"),
        pytest.param("  # flowmill: ignore[policy] a reason", ["uneven-step", "unused-suppression"], id="another rule"),
        pytest.param("  # flowmill: ignore[] a reason", ["uneven-step", "bad-suppression"], id="no rule"),
        pytest.param("  # flowmill: ignore uneven-step", ["uneven-step", "bad-suppression"], id="no brackets"),
        pytest.param(
            "  # flowmill: ignore[uneven-step] until 2026-13-01: x", ["uneven-step", "bad-suppression"], id="no day"
        ),
    ],
)
def test_a_comment_behind_a_value(comment: str, left: list[str], tmp_path: Path) -> None:
    assert codes(found(tmp_path, {"demo/trips.yaml": with_line(UNEVEN, comment)})) == left


@pytest.mark.parametrize(
    ("lines", "left"),
    [
        pytest.param("# flowmill: ignore[uneven-step] why\n", [], id="right above"),
        pytest.param("# flowmill: ignore[uneven-step] why\n\n# more\n", [], id="with empty lines and comments between"),
        pytest.param(
            "# flowmill: ignore[uneven-step] why\ndescription: x\n",
            ["unused-suppression", "uneven-step"],
            id="above another key",
        ),
    ],
)
def test_a_comment_on_a_line_of_its_own(lines: str, left: list[str], tmp_path: Path) -> None:
    text = UNEVEN.replace("cron:", f"{lines}cron:")
    assert codes(found(tmp_path, {"demo/trips.yaml": text})) == left


@pytest.mark.parametrize(
    "value",
    [
        pytest.param('"a # flowmill: ignore[uneven-step] text"', id="quoted"),
        pytest.param("'it''s # flowmill: ignore[] text'", id="quoted once"),
        pytest.param("|\n  # flowmill: ignore[uneven-step] text\n  more", id="a block"),
        pytest.param(">-\n  more\n  # flowmill: bad", id="a folded block"),
        pytest.param("a#flowmill: ignore[uneven-step]", id="no space before it"),
    ],
)
def test_a_value_that_looks_like_a_comment_is_none(value: str, tmp_path: Path) -> None:
    # Without the last one's space it would not be YAML: a colon and a space in a bare text.
    value = value if value[0] in "\"'|>" else f'"{value}"'
    text = f"description: {value}\n{UNEVEN}"
    assert codes(found(tmp_path, {"demo/trips.yaml": text})) == ["uneven-step"]


def test_an_inherited_value_is_excepted_where_it_is_written(tmp_path: Path) -> None:
    project = 'defaults:\n  cron: "*/45 * * * *"  # flowmill: ignore[uneven-step] for all of them\n'
    flow = FLOW.replace('cron: "17 4 * * *"\n', "")
    assert found(tmp_path, {"demo/project.yaml": project, "demo/trips.yaml": flow}) == []


def test_an_exception_is_not_called_unused_where_not_all_was_asked(tmp_path: Path) -> None:
    project = 'defaults:\n  cron: "17 * * * *"  # flowmill: ignore[uneven-step] for the other flow\n'
    files = {"demo/project.yaml": project, "demo/trips.yaml": FLOW}
    assert codes(found(tmp_path, files)) == ["unused-suppression"]
    assert found(tmp_path, files, only="demo/trips.yaml") == []


def test_a_flow_with_an_error_is_not_told_about_its_exceptions(tmp_path: Path) -> None:
    text = with_line(UNEVEN, "  # flowmill: ignore[uneven-step] why").replace("script", "scrpt")
    assert codes(found(tmp_path, {"demo/trips.yaml": text})) == ["unknown-type"]


def test_neither_is_a_flow_whose_error_stands_in_a_file_that_it_inherits_from(tmp_path: Path) -> None:
    project = "defaults:\n  script: {timeout: five minutes}\n"
    text = with_line(UNEVEN, "  # flowmill: ignore[uneven-step] why")
    assert codes(found(tmp_path, {"demo/project.yaml": project, "demo/trips.yaml": text})) == ["duration"]


def test_the_place_of_an_exception_is_the_comment(tmp_path: Path) -> None:
    text = with_line(FLOW, "   # flowmill: ignore[uneven-step] why")
    (it,) = found(tmp_path, {"demo/trips.yaml": text})
    comment = "# flowmill: ignore[uneven-step] why"
    assert (it.span.line, it.span.column, it.span.end_column) == (4, 22, 22 + len(comment))
