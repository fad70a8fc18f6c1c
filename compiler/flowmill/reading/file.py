"""Reading one file safely: an ordinary file, of bounded size, inside the workspace, in UTF-8."""

import errno
import os
import stat
from functools import lru_cache
from pathlib import Path

from flowmill.diagnostics import Diagnostic, Span
from flowmill.reading.characters import character_problems
from flowmill.reading.source import Source

SIZE_LIMIT = 1024 * 1024
"""Bytes that a file may have; a spec of a thousand steps needs a third of it."""

_OTHER_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
_TOO_LARGE = f"is too large: at most {SIZE_LIMIT:,} bytes (1 MiB) are read"
_real_folder = lru_cache(maxsize=8)(os.path.realpath)
_KINDS = {"d": "a folder", "p": "a named pipe", "s": "a socket", "c": "a device", "b": "a device"}


def read_source(path: Path, shown: str, root: Path) -> Source | Diagnostic:
    """Read a UTF-8 text file of at most `SIZE_LIMIT` bytes.

    Never blocks on what is not a file, and follows a link only to a file inside `root`, the folder of the
    workspace. Messages call the file `shown`.
    """
    try:
        real = os.path.realpath(path, strict=True)
        if not real.startswith(_real_folder(root.absolute()).rstrip("/") + "/"):
            return _refusal(shown, "file-link", "leads out of the workspace and is not read")
        data = _read_bytes(real, shown)
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the name
        return unreadable(path, shown, error)
    return data if isinstance(data, Diagnostic) else _decode(shown, data)


def _refusal(shown: str, code: str, message: str) -> Diagnostic:
    return Diagnostic(Span(shown), code, f"`{shown}` {message}")


def _read_bytes(real: str, shown: str) -> bytes | Diagnostic:
    refused = _refuse_kind_or_size(os.lstat(real), shown)  # before opening: opening a device may act on it
    if refused:
        return refused
    descriptor = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)  # again: it may be another file by now
        refused = _refuse_kind_or_size(status, shown)
        data = b"" if refused else file.read(status.st_size + 1)
    changing = _refusal(shown, "file-unreadable", "changes while it is read")
    return changing if len(data) > status.st_size else refused or data


def _refuse_kind_or_size(status: os.stat_result, shown: str) -> Diagnostic | None:
    if not stat.S_ISREG(status.st_mode):
        kind = _KINDS.get(stat.filemode(status.st_mode)[0], "a link")
        return _refusal(shown, "file-kind", f"is {kind}, not a file")
    return _refusal(shown, "file-size", _TOO_LARGE) if status.st_size > SIZE_LIMIT else None


def unreadable(path: Path, shown: str, error: OSError | ValueError) -> Diagnostic:
    """What the system's refusal to hand out a file or a folder means, in our words."""
    number = error.errno if isinstance(error, OSError) else errno.ENOENT
    if number == errno.ELOOP:
        return _refusal(shown, "file-link", "is a link that leads back to itself")
    if number in (errno.ENOENT, errno.ENOTDIR):
        is_link = isinstance(error, OSError) and path.is_symlink()
        message = "is a link to a file that does not exist" if is_link else "does not exist"
        return _refusal(shown, "file-missing", message)
    return _refusal(shown, "file-unreadable", f"cannot be read: {os.strerror(number or errno.EIO).lower()}")


def _decode(shown: str, data: bytes) -> Source | Diagnostic:
    data = data.removeprefix(b"\xef\xbb\xbf")
    if data.startswith(_OTHER_BYTE_ORDER_MARKS) or (b"\0" in data[:4] and data[:4].strip(b"\0")):
        return _wrong_encoding(Source(shown, ""), "the file is UTF-16 or UTF-32, not UTF-8")
    try:
        source = Source(shown, data.decode("utf-8"))
    except UnicodeDecodeError as error:
        reason = f"the byte 0x{data[error.start]:02x} is not valid UTF-8; the file may be Latin-1"
        return _wrong_encoding(Source(shown, data[: error.start].decode("utf-8")), reason)
    return next(iter(character_problems(source)), source)


def _wrong_encoding(read_so_far: Source, message: str) -> Diagnostic:
    end = len(read_so_far.text)
    return read_so_far.diagnostic(end, end + 1, "yaml-encoding", message, "save the file as UTF-8")
