"""A spec in the workspace of the golden cases, fixed."""

import shutil
from contextlib import chdir
from pathlib import Path

from flowmill.fixing import fix
from flowmill.fixing.rounds import Fixed
from golden.corpus import PROJECT, TODAY, WORKSPACE

PLACE = Path("specs", PROJECT)


def lay_out(folder: Path, content: bytes | str, name: str = "job") -> Path:
    """A workspace in a folder with one spec; the path of the spec."""
    shutil.copytree(WORKSPACE, folder / "specs", dirs_exist_ok=True)
    path = folder / PLACE / f"{name}.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def fixed(folder: Path, content: bytes | str, name: str = "job") -> Fixed:
    """What becomes of a spec."""
    path = lay_out(folder, content, name)
    with chdir(folder):
        return fix(Path("specs"), frozenset({path}), today=TODAY)


def text_of(outcome: Fixed, content: str) -> str:
    """The new text of the only file, or the old one where nothing changes."""
    return outcome.files[0].text if outcome.files else content
