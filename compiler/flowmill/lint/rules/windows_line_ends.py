"""A shell script has Windows line ends (CRLF), which a shell takes for a part of the last word of each line.

`cd data` becomes `cd data\\r`, a folder that is not there, and the message hides the reason. It comes from an editor
on Windows, or from git with `core.autocrlf`. A first line `#!/bin/bash` that ends so is not found at all; where
`file` names such a script, that is an error of the language.

Save the script with LF, and keep it so with `*.sh text eol=lf` in `.gitattributes`.
"""

from collections.abc import Iterator
from pathlib import Path

from flowmill.diagnostics import Finding, Severity
from flowmill.lint.programs import file_started
from flowmill.lint.subjects import LintedFlow
from flowmill.spec.lint import RuleOptions

SEVERITY = Severity.WARNING
SUMMARY = "A shell script of the project has Windows line ends, which a shell takes for a part of its words."
_READ_AT_MOST = 1024 * 1024


def check(flow: LintedFlow, options: RuleOptions) -> Iterator[Finding]:
    for step in flow.bound.all_steps():
        key, path = file_started(flow, step) or ("", None)
        line = _first_wrong_line(path) if path is not None else 0
        if path is not None and line:
            message = f"`{path.name}` has Windows line ends (CRLF), first in line {line}"
            yield Finding((*step.route, key), "windows-line-ends", message, "save it with LF")


def _first_wrong_line(path: Path) -> int:
    """Counted from 1; 0 where a shell can read all of it, or where no shell reads it."""
    try:
        with path.open("rb") as file:
            lines = file.read(_READ_AT_MOST).splitlines(keepends=True)
    except OSError:
        return 0
    head = lines[0] if lines else b""
    is_shell = path.suffix == ".sh" or (head.startswith(b"#!") and b"sh" in head)
    ends = (number for number, line in enumerate(lines, start=1) if line.endswith(b"\r\n"))
    return next(ends, 0) if is_shell else 0
