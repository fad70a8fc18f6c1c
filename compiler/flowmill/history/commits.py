"""The commits that changed something in a folder, and what each changed, in one call of git."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from flowmill.history.git import tell
from flowmill.history.repository import Repository

_HEADER = re.compile(r"commit (?P<id>[0-9a-f]+)(?P<parents>(?: [0-9a-f]+)*)(?: \(from (?P<source>[0-9a-f]+)\))?")
_OPTIONS = (
    "-m",  # a merge is compared with each of its parents
    "--full-history",
    "--parents",
    "--topo-order",
    "--raw",
    "--pretty=raw",
    "-z",
    "--no-abbrev",
    "--no-abbrev-commit",
    "--no-renames",
    "--no-color",
    "--no-decorate",
    "--no-notes",
    "--no-show-signature",
)


@dataclass
class Commit:
    """One commit, in a history without those that leave the folder as it is.

    Attributes:
        parents: the nearest ancestors that are in that history, in git's order.
        changed: by parent, the paths whose content differs; by None, all paths of a commit without parents.
    """

    id: str
    parents: tuple[str, ...]
    changed: dict[str | None, set[str]] = field(default_factory=dict)

    def changed_since(self, parent: str) -> set[str]:
        """The paths that differ from a parent."""
        return self.changed.get(parent, set())


def commits_of(repository: Repository, commit: str, folder: str) -> list[Commit]:
    """The history of a folder up to a commit, each commit before its parents.

    Args:
        folder: from the root of the repository, with `/`; empty for all of it. Paths are told from there.
    """
    only = ["--", f"{folder}/"] if folder else ["--"]
    output = tell(repository.root, "log", *_OPTIONS, commit, *only).output
    prefix = f"{folder}/" if folder else ""
    found: dict[str, Commit] = {}
    for header, path in _entries(os.fsdecode(output)):
        parents = tuple(header["parents"].split())
        known = found.setdefault(header["id"], Commit(header["id"], parents))
        source = header["source"] or (parents[0] if parents else None)
        if path is not None:
            known.changed.setdefault(source, set()).add(path.removeprefix(prefix))
    return list(found.values())


def _entries(output: str) -> Iterator[tuple[re.Match[str], str | None]]:
    """Each commit's header, once with None and once with each path below it.

    A header is followed by its message, indented, and by the first of the lines that begin with `:`, each of
    which a path follows.
    """
    header: re.Match[str] | None = None
    tokens = iter(output.split("\0"))
    for token in tokens:
        begun = _HEADER.match(token)
        if begun:
            header = begun
            yield header, None
        if header and token.rpartition("\n")[2].startswith(":"):
            yield header, next(tokens)
