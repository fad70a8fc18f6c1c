"""Places of ours as places of the protocol, which counts lines from 0 and columns in the units of the client."""

from dataclasses import dataclass
from pathlib import Path

from lsprotocol import types
from pygls.workspace import PositionCodec

from flowmill.diagnostics import Span


@dataclass(frozen=True)
class Positions:
    """Converts places of one document."""

    text: str
    codec: PositionCodec

    @property
    def _lines(self) -> list[str]:
        return self.text.split("\n")

    def range(self, span: Span) -> types.Range:
        """A stretch of the document as the client counts."""
        lines = self._lines
        start = self._position(lines, span.line, span.column)
        return types.Range(start=start, end=self._position(lines, span.end_line, span.end_column))

    def _position(self, lines: list[str], line: int, column: int) -> types.Position:
        text = lines[line - 1][: column - 1] if 0 < line <= len(lines) else ""
        return types.Position(line=line - 1, character=self.codec.client_num_units(text))

    def place(self, position: types.Position) -> tuple[int, int]:
        """The line and the column of a position, both from 1, in characters."""
        lines = self._lines
        line = lines[position.line] if position.line < len(lines) else ""
        column = 0
        while column < len(line) and self.codec.client_num_units(line[: column + 1]) <= position.character:
            column += 1
        return position.line + 1, column + 1

    def offset(self, position: types.Position) -> int:
        """The offset into the text, in characters."""
        line, column = self.place(position)
        return sum(len(it) + 1 for it in self._lines[: line - 1]) + column - 1


def absolute(shown: str) -> Path:
    """The file that a diagnostic names, which does so relative to the working directory."""
    return Path(shown).absolute()
