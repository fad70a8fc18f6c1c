"""The files of a commit, written into a folder that goes away afterwards.

Read object by object and not through `git archive`: attributes in the tree could leave files out there, or
rewrite them.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flowmill.history.git import GitError, tell
from flowmill.history.repository import Repository

_LINK, _MODULE = "120000", "160000"


@dataclass(frozen=True)
class Entry:
    """One file of a commit: its mode and object as git writes them, its path in the folder that was asked for."""

    mode: str
    object: str
    path: str


def entries(repository: Repository, commit: str, folder: str) -> list[Entry]:
    """All files below a folder of a commit; empty where it has no such folder.

    Args:
        folder: from the root of the repository, with `/`; empty for all of it.
    """
    prefix = f"{folder}/" if folder else ""
    only = ["--", prefix] if prefix else []
    fields = tell(repository.root, "ls-tree", "-r", "-z", "--full-tree", commit, *only).fields
    pairs = [field.partition("\t") for field in fields]
    return [
        Entry(words.split()[0], words.split()[2], path.removeprefix(prefix))
        for words, _, path in pairs
        if path.startswith(prefix)
    ]


def links_of(repository: Repository, found: list[Entry]) -> dict[str, str]:
    """Where each link among some files leads, by its path, as it is written."""
    links = [entry for entry in found if entry.mode == _LINK]
    return {entry.path: os.fsdecode(text) for entry, text in zip(links, _contents(repository, links), strict=True)}


@contextmanager
def extracted(repository: Repository, commit: str, folder: str) -> Iterator[Path]:
    """A temporary folder with the files below a folder of a commit.

    Links are kept where they lead to something in the folder; others are left out.

    Raises:
        GitError: the commit has a path that leads out of the folder, or there is no room for its files.
    """
    with tempfile.TemporaryDirectory(prefix="flowmill-") as made:
        target = Path(made).resolve()
        try:
            _write(repository, entries(repository, commit, folder), target)
        except OSError as error:
            raise GitError(f"the files of {commit[:12]} cannot be written: {os.strerror(error.errno or 0)}") from None
        yield target


def _write(repository: Repository, found: list[Entry], target: Path) -> None:
    for entry in found:
        if not _is_inside(entry.path):
            raise GitError(f"the commit has a path that leads out of its folder: `{entry.path}`")
    files = [entry for entry in found if entry.mode != _MODULE]
    contents = list(zip(files, _contents(repository, files), strict=True))
    # Links last: nothing is then written through one.
    for entry, content in contents:
        if entry.mode != _LINK:
            _write_file(target / entry.path, content, executable=entry.mode == "100755")
    _make_links({target / entry.path: os.fsdecode(data) for entry, data in contents if entry.mode == _LINK}, target)


def _write_file(path: Path, content: bytes, *, executable: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o755 if executable else 0o644)


def _make_links(links: Mapping[Path, str], target: Path) -> None:
    for path, aim in links.items():
        if path.parent.resolve().is_relative_to(target):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(aim)
    # A link may lead out only by way of another one, so they are judged when all are there.
    for path in links:
        if path.is_symlink() and not _leads_into(path, target):
            path.unlink()


def _leads_into(path: Path, folder: Path) -> bool:
    try:
        return path.resolve().is_relative_to(folder)
    except (OSError, RuntimeError):  # a circle
        return False


def _is_inside(path: str) -> bool:
    parts = path.split("/")
    return not path.startswith("/") and not {"", ".", ".."} & set(parts) and parts[0].lower() != ".git"


def _contents(repository: Repository, files: list[Entry]) -> Iterator[bytes]:
    """The content of each file, in order."""
    wanted = "".join(f"{entry.object}\n" for entry in files).encode()
    output = tell(repository.root, "cat-file", "--batch", given=wanted).output if files else b""
    position = 0
    for entry in files:
        end = output.index(b"\n", position)
        header = output[position:end].split()
        if len(header) != 3:
            raise GitError(f"the content of `{entry.path}` is missing in this clone")
        size = int(header[2])
        yield output[end + 1 : end + 1 + size]
        position = end + 1 + size + 1
