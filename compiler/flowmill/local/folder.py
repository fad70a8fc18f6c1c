"""`.flowmill`: the one folder in which a workspace keeps what belongs to this machine.

It lies beside flowmill.yaml, or beside the folder `specs` that holds flowmill.yaml. It is not looked for elsewhere:
a second `.flowmill`, made later and nearer to a spec, would make everything that is kept look as if it were gone.
"""

import os
import tempfile
from pathlib import Path

from flowmill.workspace import find_root

NAME = ".flowmill"


def folder_of(spec: Path) -> Path:
    """The folder for a spec, or for a folder of specs; it may not be there yet."""
    start = spec.absolute()
    root = find_root(start) or (start if start.is_dir() else start.parent)
    return (root.parent if root.name == "specs" else root) / NAME


def prepared(folder: Path) -> Path:
    """A folder inside of `.flowmill`, made where it is missing, and of no interest to git.

    Raises:
        OSError: it cannot be made.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ignore = folder.parent / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="utf-8")
    return folder


def replace_file(path: Path, text: str) -> None:
    """Write a file so that others see the old text or the new one, also when the machine stops in between.

    Raises:
        OSError: it cannot be written.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
