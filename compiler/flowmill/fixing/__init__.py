"""Safe fixes: the edits of diagnostics, applied as long as nothing gets worse, and shown or written."""

from datetime import date
from pathlib import Path

from flowmill.fixing.rounds import Fixed, Fixing
from flowmill.fixing.writing import reader
from flowmill.proving import prove


def fix(root: Path, only: frozenset[Path] | None = None, *, today: date | None = None) -> Fixed:
    """What the files of a workspace are to hold so that what can be fixed safely is; nothing is written.

    Args:
        only: absolute paths of the flows, folders and files with tests that may change; None means all files.
        today: the day that rules take for today; the real one when left out.
    """
    return Fixing(lambda texts: prove(root, only, today=today, texts=texts), reader(root, only)).fixed()
