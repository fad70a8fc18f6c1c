"""The folder of the pages: it is replaced as a whole, and only if nothing but our own files would be lost."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

MARKER = ".flowmill-site"
"""The file that lists what flowmill has written into a folder."""
_FIRST_LINE = "# Written by `flowmill site`, which replaces the folder as long as it holds nothing but these files."


class NotOurs(Exception):
    """The folder holds what flowmill has not written; the message says what."""


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Let a folder hold these files, by path, and nothing else; until all are written it stays as it was.

    Raises:
        NotOurs: it holds other files.
        OSError: it cannot be written.
    """
    check_folder(folder)
    target = folder.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as scratch:
        made, former = Path(scratch) / "made", Path(scratch) / "former"
        listed = "".join(f"{name}\n" for name in (_FIRST_LINE, *sorted(files)))
        for name, content in {**files, MARKER: listed.encode()}.items():
            (made / name).parent.mkdir(parents=True, exist_ok=True)
            (made / name).write_bytes(content)
        if target.exists():
            target.rename(former)
        _into_place(made, target, former)


def _into_place(made: Path, target: Path, former: Path) -> None:
    try:
        made.rename(target)
    except OSError:
        if former.exists():
            former.rename(target)
        raise


def check_folder(folder: Path) -> None:
    """
    Raises:
        NotOurs: the folder holds files that flowmill has not written, or is none.
    """
    if not folder.exists() and not folder.is_symlink():
        return
    if not folder.is_dir():
        raise NotOurs(f"`{folder}` is no folder")
    ours = _listed(folder / MARKER)
    found = sorted(
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()
    )
    if others := [name for name in found if name not in ours]:
        raise NotOurs(f"`{folder}` holds files that flowmill has not written, such as `{others[0]}`")


def _listed(marker: Path) -> set[str]:
    """The files that a marker lists, and itself; none where there is no marker of ours."""
    try:
        first, *names = marker.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return set()
    return {*names, MARKER} if first == _FIRST_LINE else set()
