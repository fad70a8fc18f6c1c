"""What the verbs that change an environment have in common: the limit of deletions, progress, what went wrong."""

import sys
from typing import TYPE_CHECKING

from flowmill.commands._options import write

if TYPE_CHECKING:
    from flowmill.backend.apply import Applied
    from flowmill.backend.register import Outlook


def is_within(outlook: "Outlook", most: int) -> bool:
    """Whether no more would be deleted than is allowed; if not, it is said."""
    count = len(outlook.changes.of("delete")) if outlook.prune else 0
    if count > most:
        message = f"Error: {count} deployments would be deleted, and --max-delete allows {most}; nothing was changed\n"
        write(message, sys.stderr)
    return count <= most


class Progress:
    """On a terminal, how far it is; in a pipe nothing, the plan has said it all."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0

    def __call__(self, applied: "Applied") -> None:
        self._done += 1
        if sys.stderr.isatty():
            end = "\n" if self._done == self._total else ""
            sys.stderr.write(f"\r\x1b[K{self._done}/{self._total} {applied.change.flow}{end}")
            sys.stderr.flush()


def told_problems(done: "list[Applied]") -> int:
    """Print what went wrong; the exit code."""
    problems = [it for it in done if it.problem]
    write("".join(f"Error: {it.change.flow}: {it.problem}\n" for it in problems), sys.stderr)
    return 1 if problems else 0
