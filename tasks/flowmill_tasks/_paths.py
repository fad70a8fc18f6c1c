"""Paths that a spec names: relative to the spec's folder, and never leading out of the project's folder.

The text of a path is checked when the spec is validated (`RelativePath`); where it leads is checked on the
disk, once when the spec is validated and once more right before the path is used, because a link may have
taken a file's place in between. Use the path that these functions return: it holds no link any more.
"""

import os
import re
import stat
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from flowmill_tasks.fields import Templated, Text

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:/")


class PathProblem(ValueError):
    """A path of a spec that cannot be used; the message says why, and what to write instead."""


def resolve_inside(path: str, directory: Path, root: Path) -> Path:
    """The place that `path` stands for, absolute and without links; nothing needs to be there.

    Args:
        path: as the spec has it, relative to `directory`.
        directory: the folder of the spec file.
        root: the project's folder.

    Raises:
        PathProblem: `path` is not a relative path, or leads out of `root`, also through a link.
    """
    check_path_text(path)
    base = _without_links(root)
    resolved = _without_links(directory / path)
    if resolved.is_relative_to(base):
        return resolved
    written = Path(os.path.normpath(_without_links(directory) / path))
    way = " through a link" if written.is_relative_to(base) else ""
    raise PathProblem(f"`{path}` leads out of the project's folder{way}")


def resolve_file_inside(path: str, directory: Path, root: Path) -> Path:
    """Like `resolve_inside`, for a regular file that is there.

    Raises:
        PathProblem: also when there is no such file, or it is a folder, a pipe or a device.
    """
    resolved = resolve_inside(path, directory, root)
    if not stat.S_ISREG(_mode(path, resolved, root)):
        raise PathProblem(f"`{path}` is not a file")
    return resolved


def resolve_folder_inside(path: str, directory: Path, root: Path) -> Path:
    """Like `resolve_inside`, for a folder that is there.

    Raises:
        PathProblem: also when there is no such folder.
    """
    resolved = resolve_inside(path, directory, root)
    if not stat.S_ISDIR(_mode(path, resolved, root)):
        raise PathProblem(f"`{path}` is not a folder")
    return resolved


def check_path_text(path: str) -> str:
    """The path as it came, when its text alone gives no reason to refuse it.

    Raises:
        PathProblem: it is empty, absolute, a URL, starts with `~`, or holds a backslash or control character.
    """
    if not path:
        raise PathProblem("a path must not be empty")
    if _CONTROL.search(path):
        raise PathProblem("a path must not hold NUL, line breaks or other control characters")
    if "\\" in path:
        raise PathProblem(f"`{path}` holds a backslash; write folders with `/`")
    if _URL.match(path):
        raise PathProblem(f"`{path}` is a URL; expected a path relative to the spec's folder")
    if path.startswith("/"):
        raise PathProblem(f"`{path}` is absolute; expected a path relative to the spec's folder")
    if path.startswith("~"):
        raise PathProblem(f"`{path}` starts with `~`, which is not expanded; write it relative to the spec")
    return path


def _mode(path: str, resolved: Path, root: Path) -> int:
    try:
        return resolved.stat().st_mode
    except (FileNotFoundError, NotADirectoryError) as error:
        place = resolved.relative_to(_without_links(root))
        raise PathProblem(f"`{path}` is not there; it would be `{place}` in the project") from error
    except OSError as error:
        raise PathProblem(f"`{path}` cannot be read: {error.strerror}") from error


def _without_links(path: Path) -> Path:
    try:
        return path.resolve()
    except RuntimeError as error:  # a loop of links; Python 3.13 leaves it to whoever opens the path
        raise PathProblem(f"`{path.name}` cannot be followed: its links go round in circles") from error


def _checked(path: str) -> str:
    try:
        return check_path_text(path)
    except PathProblem as problem:
        raise PydanticCustomError("bad_value", "{problem}", {"problem": str(problem)}) from problem


RelativePath = Templated[Annotated[Text, AfterValidator(_checked)]]
"""A path as a key of a step: its text is checked, where it leads is for `resolve_inside`."""
