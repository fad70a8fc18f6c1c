"""What may lie in a folder of specs besides specs: nothing of it is read, waited for, or shown raw."""

import json
import os
import re
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest

from golden.corpus import FOLDER, WORKSPACE
from validating.command import Ran, flowmill

GOOD = (FOLDER / "ok/minimal.yaml").read_text(encoding="utf-8")
ODD_NAMES = {
    "newline": b"a\nb.yaml",
    "command": b"::error::x.yaml",
    "command-in-a-line-of-its-own": b"a\n::add-mask::demo\nb.yaml",
    "not-utf-8": b"caf\xe9.yaml",
    "dash": b"--help.yaml",
    "escape-sequence": b"\x1b[31mred.yaml",
    "percent": b"100%0A.yaml",
    "comma-and-colon": b"a,line=1:b.yaml",
    "bidi": "a\u202eb.yaml".encode(),
}
ODD_FILES = {
    "bad.yaml": "unknown-key",
    "pipe.yaml": "file-kind",
    "pipe-link.yaml": "file-kind",
    "socket.yaml": "file-kind",
    "folder.yaml": "file-kind",
    "zero.yaml": "file-link",
    "passwd.yaml": "file-link",
    "outside.yaml": "file-link",
    "loop.yaml": "file-link",
    "dangling.yaml": "file-missing",
}


def make_odd_files(demo: Path) -> None:
    """One file of each kind, a good one, and one with an ordinary mistake."""
    (demo / "good.yaml").write_text(GOOD)
    (demo / "bad.yaml").write_text(GOOD + "    retrys: 3\n")
    os.mkfifo(demo / "pipe.yaml")
    (demo / "pipe-link.yaml").symlink_to("pipe.yaml")
    (demo / "folder.yaml").mkdir()
    (demo / "zero.yaml").symlink_to("/dev/zero")
    (demo / "passwd.yaml").symlink_to("/etc/passwd")
    (demo.parent.parent / "outside.yaml").write_text(GOOD + "# from-outside\n")
    (demo / "outside.yaml").symlink_to("../../outside.yaml")
    (demo / "loop.yaml").symlink_to("loop.yaml")
    (demo / "dangling.yaml").symlink_to("nowhere.yaml")
    (demo / "up").symlink_to("..")
    with chdir(demo), socket.socket(socket.AF_UNIX) as listener:  # its path must be short
        listener.bind("socket.yaml")
    for name in ODD_NAMES.values():
        Path(os.fsdecode(os.fsencode(demo) + b"/" + name)).write_text(GOOD)


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ran]:
    """What `flowmill validate` prints in each format for a workspace with everything odd in it."""
    folder = tmp_path_factory.mktemp("odd")
    shutil.copytree(WORKSPACE, folder / "specs")
    make_odd_files(folder / "specs/demo")
    return {name: flowmill("validate", "--format", name, cwd=folder) for name in ("text", "json", "github")}


@pytest.fixture(scope="module")
def found(outputs: dict[str, Ran]) -> list[dict[str, Any]]:
    diagnostics: list[dict[str, Any]] = json.loads(outputs["json"].out)["diagnostics"]
    return diagnostics


@pytest.mark.parametrize("name", ["text", "json", "github"])
def test_y22_whatever_lies_there_the_answer_comes_in_time_and_is_no(outputs: dict[str, Ran], name: str) -> None:
    assert (outputs[name].code, outputs[name].err) == (1, b"")


@pytest.mark.parametrize(("name", "code"), ODD_FILES.items())
def test_y22_y23_what_is_no_spec_is_told_once(found: list[dict[str, Any]], name: str, code: str) -> None:
    assert [entry["code"] for entry in found if entry["path"] == f"specs/demo/{name}"] == [code]


def test_y22_a_good_spec_beside_them_is_looked_at_and_not_mentioned(outputs: dict[str, Ran]) -> None:
    content = json.loads(outputs["json"].out)
    assert content["flows"] == 2
    assert "specs/demo/good.yaml" not in {entry["path"] for entry in content["diagnostics"]}


@pytest.mark.parametrize("name", ["text", "json", "github"])
def test_y23_nothing_of_a_file_outside_is_printed(outputs: dict[str, Ran], name: str) -> None:
    assert b"root:" not in outputs[name].out
    assert b"from-outside" not in outputs[name].out


def test_y24_a_link_to_the_folder_above_is_not_followed(found: list[dict[str, Any]]) -> None:
    assert not [entry for entry in found if "/up/" in entry["path"]]


def test_y26_every_odd_name_is_refused(found: list[dict[str, Any]]) -> None:
    assert [entry["code"] for entry in found].count("bad-name") == len(ODD_NAMES)


@pytest.mark.parametrize("name", ["text", "json", "github"])
def test_y26_no_name_puts_a_control_character_into_the_output(outputs: dict[str, Ran], name: str) -> None:
    text = outputs[name].out.decode()
    assert re.findall(r"[^\n -~\u00a0-\u1fff…]", text) == []


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        pytest.param("newline", r"specs/demo/a\nb.yaml:1:1: ", id="newline"),
        pytest.param("not-utf-8", r"specs/demo/caf\udce9.yaml:1:1: ", id="not-utf-8"),
        pytest.param("escape-sequence", r"specs/demo/\x1b[31mred.yaml:1:1: ", id="escape-sequence"),
        pytest.param("bidi", r"specs/demo/a\u202eb.yaml:1:1: ", id="bidi"),
    ],
)
def test_y26_in_text_an_odd_name_is_spelt_out(outputs: dict[str, Ran], name: str, shown: str) -> None:
    assert any(line.startswith(shown) for line in outputs["text"].text.splitlines()), name


@pytest.mark.parametrize(
    "shown",
    [
        pytest.param("file=specs/demo/a%0Ab.yaml,line=1", id="newline"),
        pytest.param("file=specs/demo/%3A%3Aerror%3A%3Ax.yaml,line=1", id="command"),
        pytest.param("file=specs/demo/100%250A.yaml,line=1", id="percent"),
        pytest.param("file=specs/demo/a%2Cline=1%3Ab.yaml,line=1", id="comma-and-colon"),
    ],
)
def test_y26_in_annotations_an_odd_name_is_escaped(outputs: dict[str, Ran], shown: str) -> None:
    assert shown in outputs["github"].text


def test_y26_every_line_of_annotations_is_one_command_of_ours(outputs: dict[str, Ran]) -> None:
    lines = outputs["github"].text.splitlines()
    assert len(lines) == len(ODD_FILES) + len(ODD_NAMES)
    assert all(line.startswith("::error file=specs/demo/") for line in lines)


def test_y26_a_name_that_begins_with_a_dash_can_be_given(tmp_path: Path) -> None:
    shutil.copytree(WORKSPACE, tmp_path / "specs")
    (tmp_path / "specs/demo/-f.yaml").write_text(GOOD)
    ran = flowmill("validate", "--", "-f.yaml", cwd=tmp_path / "specs/demo")
    assert (ran.code, ran.text.splitlines()[0]) == (1, "-f.yaml:1:1: `-f` is not a name for a flow [bad-name]")


@pytest.mark.parametrize("name", ["flowmill.yaml", "demo/project.yaml"])
def test_y22_a_pipe_in_place_of_the_workspace_or_the_project_is_told(tmp_path: Path, name: str) -> None:
    shutil.copytree(WORKSPACE, tmp_path / "specs")
    (tmp_path / "specs/demo/good.yaml").write_text(GOOD)
    (tmp_path / "specs" / name).unlink()
    os.mkfifo(tmp_path / "specs" / name)
    ran = flowmill("validate", cwd=tmp_path)
    assert (ran.code, f"specs/{name}:1:1: `specs/{name}` is a named pipe, not a file" in ran.text) == (1, True)


@pytest.fixture
def readable_folder() -> Iterator[Path]:
    """A folder that every user may enter, which pytest's own are not."""
    with tempfile.TemporaryDirectory(prefix="flowmill-files-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.parametrize("name", ["specs/demo/secret.yaml", "specs/demo/project.yaml", "specs/flowmill.yaml"])
def test_y25_a_file_without_permission_is_told(readable_folder: Path, name: str) -> None:
    shutil.copytree(WORKSPACE, readable_folder / "specs")
    for spec in ("secret", "good"):
        (readable_folder / f"specs/demo/{spec}.yaml").write_text(GOOD)
    (readable_folder / name).chmod(0o000)
    ran = flowmill("validate", cwd=readable_folder, as_nobody=True)
    assert ran.code == 1
    assert f"{name}:1:1: `{name}` cannot be read: permission denied [file-unreadable]" in ran.text


@pytest.mark.parametrize(
    ("folder", "mode", "told"),
    [
        pytest.param("specs/locked", 0o000, "specs/locked", id="beside-the-project"),
        pytest.param("specs/demo", 0o000, "specs/demo", id="project"),
        pytest.param("specs/demo", 0o444, "specs/demo/good.yaml", id="names-only"),
        pytest.param("specs", 0o111, "specs", id="workspace"),
    ],
)
def test_y25_a_folder_without_permission_is_told(readable_folder: Path, folder: str, mode: int, told: str) -> None:
    shutil.copytree(WORKSPACE, readable_folder / "specs")
    (readable_folder / "specs/demo/good.yaml").write_text(GOOD)
    (readable_folder / folder).mkdir(exist_ok=True)
    (readable_folder / folder).chmod(mode)
    ran = flowmill("validate", cwd=readable_folder, as_nobody=True)
    (readable_folder / folder).chmod(0o755)
    assert ran.code == 1
    assert f"{told}:1:1: `{told}` cannot be read: permission denied [file-unreadable]" in ran.text


def test_y25_a_folder_of_somebody_else_on_the_way_up_is_passed_over(readable_folder: Path) -> None:
    (readable_folder / "specs").mkdir(mode=0o000)
    (readable_folder / "here").mkdir()
    ran = flowmill("validate", cwd=readable_folder / "here", as_nobody=True)
    assert (ran.code, "there is no flowmill.yaml at or above" in ran.error) == (2, True)
