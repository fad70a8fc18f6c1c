"""What the verbs that change an environment have in common: the limit of deletions, progress, what went wrong."""

import sys
import time
from typing import TYPE_CHECKING

from flowmill.commands._options import write

if TYPE_CHECKING:
    from flowmill.backend.apply import Applied
    from flowmill.backend.register import Outlook
    from flowmill.backend.server import Server

_DONE = {"create": "created", "move": "moved", "update": "updated", "delete": "deleted", "unchanged": "unchanged"}
_VERBS = {"register": "registered", "rollback": "rolled back"}


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
        self.total = total
        self.done = 0
        self._began = time.monotonic()

    def __call__(self, applied: "Applied") -> None:
        self.done += 1
        if sys.stderr.isatty():
            end = "\n" if self.done == self.total else ""
            sys.stderr.write(f"\r\x1b[K{self.done}/{self.total} {applied.change.flow}{end}")
            sys.stderr.flush()

    @property
    def seconds(self) -> float:
        """How long it has been going on."""
        return time.monotonic() - self._began


def carried_out(connection: "Server", outlook: "Outlook", parallel: int) -> int:
    """Let the server have what was decided, and say how it went; the exit code.

    Raises:
        ServerError: the server does not answer any more; what was done until then is said.
    """
    from flowmill.backend.register import automate, carry_out
    from flowmill.backend.server import ServerError

    progress = Progress(len(outlook.to_do))
    try:
        done = carry_out(connection, outlook, parallel, progress)
        automate(connection, outlook)
    except ServerError:
        write(f"{progress.done} of {progress.total} changes are made; run it again, and it goes on there\n", sys.stderr)
        raise
    problems = [it for it in done if it.problem]
    write("".join(f"Error: {it.change.flow}: {it.problem}\n" for it in problems), sys.stderr)
    write(_closing(outlook, len(problems), progress.seconds))
    return 1 if problems else 0


def _closing(outlook: "Outlook", problems: int, seconds: float) -> str:
    """What was done, in a line; how long it took only where somebody looks on."""
    if problems:
        return f"{problems} of {len(outlook.to_do)} changes are not made; run it again when that is mended\n"
    counts = [
        f"{len(outlook.changes.of(action))} {word}" for action, word in _DONE.items() if _is_done(outlook, action)
    ]
    took = f" in {seconds:.1f}s" if sys.stdout.isatty() else ""
    return f"{_VERBS[outlook.by]}: {', '.join(counts) or 'nothing'}, on {outlook.server}{took}\n"


def _is_done(outlook: "Outlook", action: str) -> bool:
    return bool(outlook.changes.of(action)) and (action != "delete" or outlook.prune)
