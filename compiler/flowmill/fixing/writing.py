"""Which files may be changed, and their new texts written: whole or not at all, with the mode that they have."""

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from flowmill.fixing.rounds import FixedFile
from flowmill.reading.file import read_source
from flowmill.reading.source import Source
from flowmill.workspace import shown_path

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class NotWritten(Exception):
    """A file cannot be written; the message says which and why."""


def reader(root: Path, only: frozenset[Path] | None) -> Callable[[Path], Source | None]:
    """What reads a file that may be changed: it was asked for, lies in the workspace and is no link."""

    def read(path: Path) -> Source | None:
        wanted = only is None or any(path == item or item in path.parents for item in only)
        if not wanted or not path.is_relative_to(root.absolute()) or is_link(path, root):
            return None
        source = read_source(path, shown_path(path), root)
        return source if isinstance(source, Source) else None

    return read


def is_link(path: Path, root: Path) -> bool:
    """Whether a file of a workspace, or a folder on the way to it, is a link."""
    inside = [it for it in (path, *path.parents) if it.is_relative_to(root.absolute()) and it != root.absolute()]
    return any(it.is_symlink() for it in inside)


def write(file: FixedFile, root: Path) -> None:
    """Write the new text of a file in place of the old one.

    Raises:
        NotWritten: the file has changed meanwhile, or the system refuses.
    """
    now = reader(root, None)(file.path)
    if now is None or now.text != file.before.text:
        raise NotWritten(f"`{file.before.path}` has changed meanwhile: nothing was written to it")
    try:
        mark = _BYTE_ORDER_MARK if file.path.read_bytes().startswith(_BYTE_ORDER_MARK) else b""
        _replace(file.path, mark + file.text.encode("utf-8"))
    except OSError as error:
        reason = (error.strerror or "it is not known why").lower()
        raise NotWritten(f"`{file.before.path}` cannot be written: {reason}") from error


def _replace(path: Path, data: bytes) -> None:
    """Whoever reads the file meanwhile sees the old one or the new one."""
    status = path.stat()
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as temporary:
            temporary.write(data)
            os.fchmod(descriptor, status.st_mode & 0o7777)
            with suppress(PermissionError):  # only root can give a file away
                os.fchown(descriptor, status.st_uid, status.st_gid)
            temporary.flush()
            os.fsync(descriptor)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
