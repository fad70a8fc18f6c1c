"""Paths of a spec stay inside the project's folder, whatever they are made of."""

import os
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from flowmill_tasks._paths import (
    PathProblem,
    RelativePath,
    resolve_file_inside,
    resolve_folder_inside,
    resolve_inside,
)
from flowmill_tasks.fields import Plain, Rendered, Unrendered


class Named(BaseModel):
    model_config = ConfigDict(strict=True, arbitrary_types_allowed=True)

    path: RelativePath


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with a spec folder, beside a folder whose name starts with the project's."""
    for folder in ("project/flows/scripts", "project/shared", "project-evil"):
        (tmp_path / folder).mkdir(parents=True)
    for file in ("project/flows/run.sh", "project/shared/run.sh", "project-evil/run.sh"):
        (tmp_path / file).write_text("true\n")
    return tmp_path / "project"


@pytest.mark.parametrize(
    ("path", "place"),
    [
        pytest.param("run.sh", "flows/run.sh", id="beside-the-spec"),
        pytest.param("./run.sh", "flows/run.sh", id="dot"),
        pytest.param("scripts/../run.sh", "flows/run.sh", id="up-and-down"),
        pytest.param("../shared/run.sh", "shared/run.sh", id="up-but-inside"),
    ],
)
def test_a_file_of_the_project_is_found_relative_to_the_spec(root: Path, path: str, place: str) -> None:
    assert resolve_file_inside(path, root / "flows", root) == (root / place).resolve()


LEXICAL = [
    pytest.param("", "must not be empty", id="empty"),
    pytest.param("/etc/passwd", "is absolute", id="absolute"),
    pytest.param("~/run.sh", "starts with `~`", id="home"),
    pytest.param("~root/run.sh", "starts with `~`", id="home-of-another"),
    pytest.param("file:///etc/passwd", "is a URL", id="file-url"),
    pytest.param("FILE:/etc/passwd", "is a URL", id="file-url-short"),
    pytest.param("..\\run.sh", "holds a backslash", id="backslash"),
    pytest.param("run.sh\0.txt", "must not hold NUL", id="nul"),
    pytest.param("run.sh\n", "must not hold NUL, line breaks", id="newline"),
    pytest.param("run\u2028.sh", "must not hold NUL, line breaks", id="line-separator"),
    pytest.param("run\ud800.sh", "control characters", id="lone-surrogate"),
]


@pytest.mark.parametrize(("path", "message"), LEXICAL)
def test_i08_text_that_is_no_relative_path_is_refused(root: Path, path: str, message: str) -> None:
    with pytest.raises(PathProblem, match=message):
        resolve_inside(path, root / "flows", root)


@pytest.mark.parametrize(("path", "message"), LEXICAL[1:-1])
def test_i08_the_key_refuses_such_text_too(path: str, message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Named(path=Rendered(path))
    assert refused.value.errors()[0]["type"] == "bad_value"


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("../../x", id="up"),
        pytest.param("../../project-evil/run.sh", id="sibling-with-the-same-prefix"),
        pytest.param("scripts/../../../x", id="up-after-down"),
        pytest.param("../..", id="the-parent-itself"),
    ],
)
def test_i08_a_path_that_leads_out_is_refused(root: Path, path: str) -> None:
    with pytest.raises(PathProblem, match=r"leads out of the project's folder$"):
        resolve_inside(path, root / "flows", root)


@pytest.mark.parametrize(
    ("link", "target", "path"),
    [
        pytest.param("run-2.sh", "../../project-evil/run.sh", "run-2.sh", id="link-to-a-file"),
        pytest.param("evil", "../../project-evil", "evil/run.sh", id="link-to-a-folder"),
        pytest.param("evil", "/etc", "evil/passwd", id="absolute-link"),
        pytest.param("evil", "/nowhere/at/all", "evil", id="dangling-link"),
    ],
)
def test_i08_a_link_that_leads_out_is_refused(root: Path, link: str, target: str, path: str) -> None:
    (root / "flows" / link).symlink_to(target)
    with pytest.raises(PathProblem, match=r"leads out of the project's folder through a link$"):
        resolve_inside(path, root / "flows", root)


def test_i08_going_up_from_a_link_follows_the_disk_and_not_the_text(root: Path) -> None:
    (root / "flows" / "deep").symlink_to("../../project-evil")
    with pytest.raises(PathProblem, match="through a link"):
        resolve_inside("deep/../flows/run.sh", root / "flows", root)


def test_a_link_inside_the_project_is_followed(root: Path) -> None:
    (root / "flows" / "link.sh").symlink_to("../shared/run.sh")
    assert resolve_file_inside("link.sh", root / "flows", root) == (root / "shared/run.sh").resolve()


def test_a_project_that_is_reached_through_a_link_is_still_the_project(root: Path) -> None:
    entry = root.parent / "entry"
    entry.symlink_to(root)
    assert resolve_file_inside("run.sh", entry / "flows", entry) == (root / "flows/run.sh").resolve()


def test_links_in_a_circle_are_a_problem_and_no_crash(root: Path) -> None:
    (root / "flows" / "a").symlink_to("b")
    (root / "flows" / "b").symlink_to("a")
    with pytest.raises(PathProblem, match=r"circles|symbolic links"):
        resolve_file_inside("a", root / "flows", root)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        pytest.param("absent.sh", "is not there; it would be `flows/absent.sh`", id="absent"),
        pytest.param("run.sh/x", "is not there", id="below-a-file"),
        pytest.param("scripts", "is not a file", id="folder"),
        pytest.param("pipe", "is not a file", id="pipe"),
        pytest.param("x" * 300, "cannot be read: File name too long", id="too-long"),
    ],
)
def test_what_is_no_file_is_named(root: Path, path: str, message: str) -> None:
    os.mkfifo(root / "flows" / "pipe")
    with pytest.raises(PathProblem, match=message):
        resolve_file_inside(path, root / "flows", root)


def test_a_folder_is_found_and_a_file_is_none(root: Path) -> None:
    assert resolve_folder_inside(".", root / "flows", root) == (root / "flows").resolve()
    assert resolve_folder_inside("..", root / "flows", root) == root.resolve()
    with pytest.raises(PathProblem, match="is not a folder"):
        resolve_folder_inside("run.sh", root / "flows", root)


def test_the_key_keeps_an_expression_for_the_run() -> None:
    assert type(Named(path=Unrendered("${{ parameters.file }}")).path) is Unrendered
    assert Named(path=Plain("a/b.sh")).path == "a/b.sh"
