"""The manifests that a server keeps of an environment, as text and as data."""

from typing import Any

from flowmill.counted import counted
from flowmill.registering.kept import Kept
from flowmill.report.drift import commit_of, when

_HEADINGS = ("N", "applied", "by", "commit", "deployments", "manifest")


def as_text(kept: list[Kept]) -> str:
    """A table, the newest first; its first column is what `--to` takes."""
    rows = [_HEADINGS, *(_row(number, it) for number, it in enumerate(kept))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    return "".join("  ".join(map(str.ljust, row, widths)).rstrip() + "\n" for row in rows)


def _row(number: int, kept: Kept) -> tuple[str, ...]:
    return str(number), when(kept), kept.by, kept.commit[:12] or "-", str(kept.deployments), kept.digest


def target_of(kept: Kept) -> str:
    """A line about the one that is gone back to."""
    return f"back to what was applied on {when(kept)}: {commit_of(kept)}, {counted(kept.deployments, 'deployment')}\n"


def as_data(kept: list[Kept]) -> list[dict[str, Any]]:
    """The same for machines."""
    return [
        {
            "n": number,
            "applied": it.at.isoformat(timespec="seconds"),
            "by": it.by,
            "commit": it.commit or None,
            "deployments": it.deployments,
            "manifest": it.digest,
        }
        for number, it in enumerate(kept)
    ]
