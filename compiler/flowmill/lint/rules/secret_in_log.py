"""A command writes a secret to its output, and so into the log of the run, which everybody with access can read.

flowmill masks the values that it knows, but not a part of one, and not what a program makes of it. `set -x` lets a
shell print each command with all values put in; `echo "$TOKEN"` prints the value itself.

Remove the `echo`, or the `x` of `set -eux`. To hand a value to a program, pipe it (`echo "$TOKEN" | program`), which
is left alone, or let the program read the variable.
"""

import re
from collections.abc import Iterator

from flowmill.diagnostics import Finding, Severity
from flowmill.elaborating.bound_flow import BoundStep
from flowmill.lint.programs import argv_of, shell_text
from flowmill.lint.subjects import LintedFlow
from flowmill.spec.lint import RuleOptions

SEVERITY = Severity.WARNING
SUMMARY = "A shell command prints a variable that holds a secret, or every command with its values (`set -x`)."

_TRACED = re.compile(r"(?m)^\s*set\s+(?:-[a-wyz]+\s+)*-[a-wyz]*x|(?:^|;)\s*set\s+-o\s+xtrace")
_REFERS = re.compile(r"\$\{\{[^}]*\bsecrets\b")


def check(flow: LintedFlow, options: RuleOptions) -> Iterator[Finding]:
    for step in flow.bound.all_steps():
        text = shell_text(step)
        names = _variables(flow, step)
        printed = next((name for name in names if re.search(_printing(name), text or "")), None)
        if printed is not None:
            message = f"`{step.id}` prints the secret in `{printed}` into the log"
            yield Finding(_place(step), "secret-in-log", message, "do not print it; mask or leave it out")
        elif text and _is_traced(step, text) and (names or flow.bound.spec.env_from or step.keys.env_from):
            message = f"`set -x` prints the commands of `{step.id}` with the secrets in them"
            yield Finding(_place(step), "secret-in-log", message, "leave out the `x`")


def _variables(flow: LintedFlow, step: BoundStep) -> list[str]:
    """The variables of a step that are made from secrets."""
    environ = {**flow.bound.spec.env, **step.keys.env}
    return [name for name, value in environ.items() if _REFERS.search(str(value))]


def _printing(name: str) -> str:
    """A command that prints a variable, unless its output goes on into a pipe or a file."""
    start = r"(?m)(?:^|[;&(]|\bthen|\bdo)\s*"
    printed = rf"(?:(?:echo|printf)\b[^|;&>\n]*\$\{{?{name}\b|printenv\s+{name}\b)"
    return start + printed + r"[^|>;&\n]*(?:$|[;&])"


def _is_traced(step: BoundStep, text: str) -> bool:
    return bool(_TRACED.search(text)) or any(re.fullmatch("-[a-wyz]*x[a-z]*", item) for item in argv_of(step)[1:3])


def _place(step: BoundStep) -> tuple[str | int, ...]:
    return (*step.route, "command")
