"""`flowmill validate --fix` and `--diff`: what is fixed is written or shown, and what is left is returned."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from flowmill.commands._options import style_for, write

if TYPE_CHECKING:
    from flowmill.fixing.rounds import FixedFile
    from flowmill.pipeline import Compiled


def fixed(root: Path, only: frozenset[Path] | None, output: str, colour: bool | None) -> "tuple[Compiled, bool]":
    """Write what can be fixed, and say what that was; then what is left, and whether all could be written."""
    from flowmill.fixing import fix
    from flowmill.proving import prove
    from flowmill.report.fixes import as_text

    found = fix(root, only)
    written, refused = _written(found.files, root)
    # A format for programs has the output to itself.
    stream = sys.stdout if output == "text" else sys.stderr
    write(as_text(written, style_for(stream, colour)), stream)
    write("".join(f"{reason}\n" for reason in [*refused, *_links(found.compiled, root)]), sys.stderr)
    return (prove(root, only) if refused else found.compiled), not refused


def _written(files: "tuple[FixedFile, ...]", root: Path) -> "tuple[tuple[FixedFile, ...], list[str]]":
    """The files that were written, and why others were not."""
    from flowmill.fixing.writing import NotWritten
    from flowmill.fixing.writing import write as write_file

    written, refused = [], []
    for file in files:
        try:
            write_file(file, root)
            written.append(file)
        except NotWritten as error:
            refused.append(str(error))
    return tuple(written), refused


def shown(root: Path, only: frozenset[Path] | None, colour: bool | None) -> "tuple[Compiled, bool]":
    """Show what would be written; then what would be left, and whether nothing would change."""
    from flowmill.fixing import fix
    from flowmill.report.fixes import as_diff

    found = fix(root, only)
    write(as_diff(found.files, style_for(sys.stdout, colour)))
    write("".join(f"{reason}\n" for reason in _links(found.compiled, root)), sys.stderr)
    return found.compiled, not found.files


def _links(left: "Compiled", root: Path) -> list[str]:
    """Why files that could be fixed are not: a link may lead to what somebody else owns."""
    from flowmill.fixing.writing import is_link

    paths = sorted({edit.span.path for it in left.diagnostics for edit in it.fix})
    return [f"`{path}` is a link, and is not fixed" for path in paths if is_link(Path(path).absolute(), root)]
