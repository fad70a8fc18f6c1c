"""The programs that steps start: their arguments, and the code that is written out among those."""

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path, PurePath

from flowmill.elaborating.bound_flow import BoundStep
from flowmill.lint.subjects import LintedFlow

_SHELLS = ("sh", "bash", "dash", "ash", "ksh", "zsh")
_OPTIONS = {
    **dict.fromkeys((*_SHELLS, "python", "psql"), "c"),
    **dict.fromkeys(("perl", "ruby", "node", "mysql", "mariadb", "Rscript"), "e"),
    "php": "r",
}
"""By program, the letter of the option that code stands behind."""
_PATH = re.compile(r"\s*((?:\.{1,2}/|[\w-][\w.-]*/)[\w./-]+)(?=\s|$)")


def argv_of(step: BoundStep) -> list[str]:
    """What a step starts, expressions unrendered; empty for a type that starts no program."""
    fields = step.model.argument_fields if step.model else frozenset()
    values = [getattr(step.model, key) or [] for key in ("entrypoint", "command") if key in fields]
    return [str(item) for value in values if isinstance(value, list) for item in value]


def code_in(argv: Sequence[str]) -> str | None:
    """The code that an interpreter, a shell or a database's client is given as an argument."""
    for position, item in enumerate(argv):
        letter = _OPTIONS.get(re.sub(r"[\d.]+$", "", PurePath(item).name))
        for option, value in pairwise(argv[position + 1 :]) if letter else ():
            if re.fullmatch(rf"-[A-Za-z]*{letter}", option):
                return value
    return None


def shell_text(step: BoundStep) -> str | None:
    """The command line that a shell reads in a step."""
    argv = argv_of(step)
    return code_in(argv) if any(PurePath(item).name in _SHELLS for item in argv) else None


def file_started(flow: LintedFlow, step: BoundStep) -> tuple[str, Path] | None:
    """The key that names a file of the project to run, and the file; None where it is not there."""
    folder: Path = flow.bound.context.folder
    if step.keys.type != "script":
        return None
    if written := getattr(step.model, "file", None):
        return _there("file", folder / written)
    match = _PATH.match(shell_text(step) or next(iter(argv_of(step)), ""))
    return _there("command", folder / getattr(step.model, "working_dir", ".") / match[1]) if match else None


def _there(key: str, path: Path) -> tuple[str, Path] | None:
    return (key, path) if path.is_file() else None
