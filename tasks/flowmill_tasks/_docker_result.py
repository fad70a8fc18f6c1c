"""The result file of a container: put into it before it starts, taken out of it when it has ended."""

import io
import tarfile
from collections.abc import Generator, Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

from flowmill_tasks._result_file import RESULT_AT_MOST, VARIABLE, no_file, text_of, too_long

if TYPE_CHECKING:
    from docker.models.containers import Container

NAME = "flowmill-result"
ENVIRON = {VARIABLE: f"/{NAME}"}
_OVERHEAD = 64 * 1024
"""Bytes that an archive has besides the content of its one file, at the most."""


def put_result_file(container: "Container") -> None:
    """Make the file, empty and writable for whichever user the image runs as."""
    entry = tarfile.TarInfo(NAME)
    entry.mode = 0o666
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.addfile(entry, io.BytesIO())
    container.put_archive("/", archive.getvalue())


def take_result(container: "Container") -> str:
    """What the program in a container has written; nothing where it has removed the file.

    Raises:
        StepFailed: it is too long, or something else lies there now.
    """
    from docker.errors import NotFound

    try:
        stream, facts = container.get_archive(f"/{NAME}")
    except NotFound:
        return ""
    try:
        return _content(b"".join(_bounded(stream, facts or {})))
    finally:
        # The engine keeps its hold on a container whose archive is being read, and would not remove it.
        cast("Generator[bytes]", stream).close()


def _bounded(stream: Iterable[bytes], facts: Mapping[str, Any]) -> list[bytes]:
    if facts.get("linkTarget"):
        raise no_file()
    if int(facts.get("size", 0)) > RESULT_AT_MOST:
        raise too_long()
    chunks, room = [], RESULT_AT_MOST + _OVERHEAD
    for chunk in stream:
        room -= len(chunk)
        if room < 0:
            raise no_file()  # a folder, with who knows what in it
        chunks.append(chunk)
    return chunks


def _content(archive: bytes) -> str:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        entry = tar.next()
        file = tar.extractfile(entry) if entry is not None and entry.isreg() else None
        if file is None:
            raise no_file()
        return text_of(file.read())
