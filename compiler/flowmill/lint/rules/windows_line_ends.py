"""A command starts a script with Windows line ends, whose `#!` line then names a program that does not exist.

Linux takes the carriage return for a part of the name: it looks for `/bin/sh\\r`, and the step fails with "no such
file", although the file is there. Editors on Windows write such line ends, and so does git where it was told to
(`core.autocrlf`).

Save the file with LF, and add `*.sh text eol=lf` to `.gitattributes` so that it stays so.
"""

from collections.abc import Iterator

from flowmill.diagnostics import Finding, Severity
from flowmill.lint.programs import programs
from flowmill.lint.subjects import LintedFlow
from flowmill.spec_lint import RuleOptions

SEVERITY = Severity.ERROR
SUMMARY = "A command starts a script with Windows line ends, which the system cannot start."


def check(flow: LintedFlow, options: RuleOptions) -> Iterator[Finding]:
    for program in programs(flow):
        if program.head.startswith(b"#!") and program.head.partition(b"\n")[0].endswith(b"\r"):
            message = f"`{program.written}` has Windows line ends (CRLF), so its `#!` line names no program"
            yield Finding(program.route, "windows-line-ends", message, "save it with LF")
