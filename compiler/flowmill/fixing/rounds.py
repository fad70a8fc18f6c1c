"""Fixes by rounds: apply what there is, prove again, and go back wherever that made something worse."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from flowmill.diagnostics import Diagnostic
from flowmill.fixing.edits import applied, compatible
from flowmill.fixing.worse import worse
from flowmill.pipeline import Compiled
from flowmill.reading.source import Source

ROUNDS_AT_MOST = 10
"""A fix may bring to light what another one can mend, such as a value below a misspelt key."""

Texts = Mapping[Path, str]
Prove = Callable[[Texts], Compiled]


@dataclass(frozen=True)
class FixedFile:
    """A file with its new text.

    Attributes:
        before: what it holds.
        text: what it is to hold.
        mended: what was wrong, in the order in which it was mended.
    """

    path: Path
    before: Source
    text: str
    mended: tuple[Diagnostic, ...]


@dataclass(frozen=True)
class Fixed:
    """The files that change, and what is left to be said of the workspace then."""

    files: tuple[FixedFile, ...]
    compiled: Compiled


class Fixing:
    """The files of a workspace while they are being fixed."""

    def __init__(self, prove: Prove, read: Callable[[Path], Source | None]) -> None:
        """Begin with what the files hold.

        Args:
            prove: what is wrong with the workspace if files hold these texts.
            read: a file that may be changed; None for any other.
        """
        self._prove, self._read = prove, read
        self._before: dict[Path, Source | None] = {}
        self._mended: dict[Path, list[Diagnostic]] = {}
        self._refused: set[tuple[Path, Diagnostic]] = set()
        self._texts: dict[Path, str] = {}
        self._compiled = prove({})

    def fixed(self) -> Fixed:
        """The outcome of all rounds."""
        for _ in range(ROUNDS_AT_MOST):
            if not self._round():
                break
        files = [
            FixedFile(path, before, self._texts[path], tuple(mended))
            for path, mended in sorted(self._mended.items())
            if (before := self._before[path]) is not None and self._texts[path] != before.text
        ]
        return Fixed(tuple(files), self._compiled)

    def _round(self) -> bool:
        """Mend what can be mended now; whether that was anything."""
        chosen = self._chosen()
        if not chosen:
            return False
        texts = {path: applied(source, fixes) for path, (source, fixes) in chosen.items()}
        compiled = self._prove({**self._texts, **texts})
        for path, (source, fixes) in chosen.items():
            if worse(source, fixes, self._compiled, compiled):
                texts.pop(path)
            else:
                self._accept(path, fixes)
        self._texts |= texts
        alone = [(path, *it) for path, it in chosen.items() if path not in texts]
        self._compiled = compiled if not alone else self._prove(self._texts)
        for it in alone:
            self._leave_out_the_bad(*it)
        return True

    def _leave_out_the_bad(self, path: Path, source: Source, fixes: list[Diagnostic]) -> None:
        """Find out which fixes of a file make it worse, so that the next round leaves them out.

        If none does on its own, two of them do not go together: then the first is made.
        """
        bad = self._bad(path, source, fixes)
        self._refused |= {(path, fix) for fix in bad}
        if not bad:
            self._accept(path, fixes[:1])
            self._texts[path] = applied(source, fixes[:1])
            self._compiled = self._prove(self._texts)

    def _bad(self, path: Path, source: Source, fixes: list[Diagnostic]) -> list[Diagnostic]:
        """Those of many that make a file worse on their own; by halves, since mostly it is one."""
        compiled = self._prove({**self._texts, path: applied(source, fixes)})
        if not worse(source, fixes, self._compiled, compiled):
            return []
        half = len(fixes) // 2
        parts = (fixes[:half], fixes[half:])
        return [it for part in parts for it in self._bad(path, source, part)] if half else fixes

    def _accept(self, path: Path, fixes: Iterable[Diagnostic]) -> None:
        self._mended.setdefault(path, []).extend(fixes)

    def _chosen(self) -> dict[Path, tuple[Source, list[Diagnostic]]]:
        """The fixes of each file that can be made together."""
        by_path: dict[Path, list[Diagnostic]] = {}
        for diagnostic in self._compiled.diagnostics:
            paths = {Path(edit.span.path).absolute() for edit in diagnostic.fix}
            if len(paths) == 1 and not {(path, diagnostic) for path in paths} & self._refused:
                by_path.setdefault(min(paths), []).append(diagnostic)
        sources = {path: self._source(path) for path in by_path}
        return {
            path: (source, compatible(source, by_path[path])) for path, source in sources.items() if source is not None
        }

    def _source(self, path: Path) -> Source | None:
        if path not in self._before:
            self._before[path] = self._read(path)
        before = self._before[path]
        return before and Source(before.path, self._texts.get(path, before.text))
