"""A command starts a file of the project that nobody may execute, so the step fails with "permission denied".

Git keeps the permission to execute a file. One that was made on Windows, or written by an editor, has none, and its
step fails on the first run on a server.

Run `chmod +x` on the file and commit it, or let a program run it: `command: [bash, load.sh]`, or `file: load.sh`,
which needs no permission.
"""

from collections.abc import Iterator

from flowmill.diagnostics import Finding, Severity
from flowmill.lint.programs import programs
from flowmill.lint.subjects import LintedFlow
from flowmill.spec_lint import RuleOptions

SEVERITY = Severity.ERROR
SUMMARY = "A command starts a file of the project that is not executable."


def check(flow: LintedFlow, options: RuleOptions) -> Iterator[Finding]:
    for program in programs(flow):
        if not program.is_executable:
            message = f"`{program.written}` is not executable"
            yield Finding(program.route, "not-executable", message, "run `chmod +x` on it, or write it as `file`")
