"""A command names a script of the project that may not be executed, so the step fails with exit code 126.

Git keeps one bit of a file's rights, and editors, copies and other systems lose it. Here the file is there, but the
bit is not. A script under `file` without it is an error of the language, or is run by the interpreter of its ending.

Run `chmod +x` on it, and commit that; or name what runs it: `bash load.sh`, or `file: load.sh`.
"""

import os
from collections.abc import Iterator

from flowmill.diagnostics import Finding, Severity
from flowmill.lint.programs import file_started
from flowmill.lint.subjects import LintedFlow
from flowmill.spec.lint import RuleOptions

SEVERITY = Severity.WARNING
SUMMARY = "A command starts a script of the project that may not be executed."


def check(flow: LintedFlow, options: RuleOptions) -> Iterator[Finding]:
    for step in flow.bound.all_steps():
        key, path = file_started(flow, step) or ("", None)
        if path is not None and key == "command" and not os.access(path, os.X_OK):
            message = f"`{path.name}` may not be executed"
            hint = "run `chmod +x` on it and commit that, or name what runs it"
            yield Finding((*step.route, key), "not-executable", message, hint)
