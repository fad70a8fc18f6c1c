"""A script starts a container that may do to the machine what root may.

A step of type `docker` has no key for that: `privileged`, the machine's network and its engine's socket are refused.
A script that calls `docker run --privileged` gets around it. Whoever can change the image, or what the program in it
reads, then has the machine, with all flows and secrets on it.

Use a step of type `docker`, which says what a container needs. Where it really needs more, give it the single
device or port, or except the line with the reason.
"""

import re
from collections.abc import Iterator

from flowmill.diagnostics import Finding, Severity
from flowmill.lint.programs import argv_of
from flowmill.lint.subjects import LintedFlow
from flowmill.spec.lint import RuleOptions

SEVERITY = Severity.WARNING
SUMMARY = "A script starts a container with the rights of root, the machine's network or the engine's socket."

_STARTS = re.compile(
    r"\b(?:docker|podman|nerdctl)\s(?:[^\n;|&]|\\\n)*?\b(?:run|create)\b(?P<options>(?:[^\n;|&]|\\\n)*)"
)
_RIGHTS = {
    r"--privileged\b(?!=false)": "all rights of root",
    r"--(?:net|network)[= ]host\b": "the machine's network",
    r"--(?:pid|ipc|uts|userns)[= ]host\b": "a namespace of the machine",
    r"--cap-add[= ]": "a capability of root",
    r"(?:docker|podman)\.sock\b": "the engine's socket, and so the machine",
    r"(?:-v|--volume)[= ]/:": "all files of the machine",
}


def check(flow: LintedFlow, options: RuleOptions) -> Iterator[Finding]:
    for step in flow.bound.all_steps():
        for start in _STARTS.finditer(" ".join(argv_of(step))):
            right = next((what for pattern, what in _RIGHTS.items() if re.search(pattern, start["options"])), None)
            if right:
                message = f"`{step.id}` starts a container with {right}"
                hint = "use a step of type `docker`, or give the container less"
                yield Finding((*step.route, "command"), "privileged-container", message, hint)
