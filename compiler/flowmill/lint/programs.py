"""The programs of the project that `script` steps start by their path, as in `command: [./load.sh]`."""

import shlex
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flowmill.diagnostics import Route
from flowmill.flow import BoundStep
from flowmill.lint.subjects import LintedFlow
from flowmill_tasks._paths import PathProblem, resolve_file_inside, resolve_folder_inside
from flowmill_tasks.fields import Unrendered
from flowmill_tasks.script import SHELL, Script

_READ = 256
"""Bytes of its beginning: as much as Linux looks at for a `#!` line."""


@dataclass(frozen=True)
class Program:
    """A file of the project that a step starts.

    Attributes:
        route: the place of the command.
        written: its path as the spec has it.
        head: its beginning.
    """

    route: Route
    written: str
    head: bytes
    is_executable: bool


def programs(flow: LintedFlow) -> Iterator[Program]:
    """The programs that are there; one that the run itself makes, or whose path only the run knows, is left out."""
    for step in flow.bound.all_steps():
        written = _program(step)
        path = _path(step, written, flow.bound.context.folder) if written else None
        if path is not None:
            with path.open("rb") as file:
                executable = bool(path.stat().st_mode & (stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH))
                yield Program((*step.route, "command"), str(written), file.read(_READ), executable)


def _program(step: BoundStep) -> str | None:
    """What a step starts first, where that is a relative path."""
    command = step.model.command if isinstance(step.model, Script) else None
    if not command or any(isinstance(word, Unrendered) for word in command[: len(SHELL) + 1]):
        return None
    word = _first_word(command[len(SHELL)]) if command[: len(SHELL)] == SHELL else command[0]
    return word if "/" in word and not word.startswith("/") else None


def _first_word(line: str) -> str:
    try:
        return next(iter(shlex.split(line, comments=True)), "")
    except ValueError:  # quotes that only a shell can make sense of
        return ""


def _path(step: BoundStep, written: str, folder: Path) -> Path | None:
    working_dir = step.model.working_dir if isinstance(step.model, Script) else "."
    if isinstance(working_dir, Unrendered):
        return None
    try:
        return resolve_file_inside(written, resolve_folder_inside(working_dir, folder, folder), folder)
    except (PathProblem, OSError):
        return None
