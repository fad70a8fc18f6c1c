"""The text of one file, mapped to lines and columns."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from flowmill.diagnostics import Diagnostic, Related, Span
from flowmill.reading.credentials import CREDENTIAL_VALUE, looks_like_credential, random_words

LINES_LOOKED_BACK = 200
"""How far above a line its context is looked for."""
_KEY = re.compile(r"(?<![\w.-])([\w.-]{1,80})[\"']?[ \t]*:")


@dataclass(frozen=True)
class Source:
    """A file's text, without a byte order mark and with the line breaks that it has."""

    path: str
    """As it is shown to the user: relative where possible."""
    text: str

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer("\n", self.text))]

    def line(self, number: int) -> str:
        """A line, counted from 1, without its line break."""
        starts = self._line_starts
        end = starts[number] if number < len(starts) else len(self.text)
        return self.text[starts[number - 1] : end].rstrip("\r\n")

    def place(self, offset: int) -> tuple[int, int]:
        """The line and the column of an offset into the text, counted from 1."""
        line = bisect_right(self._line_starts, min(offset, len(self.text)))
        return line, min(offset, len(self.text)) - self._line_starts[line - 1] + 1

    def offset(self, line: int, column: int) -> int:
        """Where in the text a line and a column are, counted from 1; the reverse of `place`."""
        starts = self._line_starts
        return min(starts[min(line, len(starts)) - 1] + column - 1, len(self.text))

    def span(self, start: int, end: int) -> Span:
        """The stretch between two offsets, the second one exclusive."""
        return Span(self.path, *self.place(start), *self.place(max(start, end)))

    def may_show_secret(self, line: int) -> bool:
        """Whether a line holds a credential: by its keys, the keys it is nested under, and its text."""
        text = self.line(line)
        return bool(CREDENTIAL_VALUE.search(text) or random_words(text)) or any(
            looks_like_credential(key) for above in self._nesting(line) for key in _KEY.findall(above)
        )

    def _nesting(self, line: int) -> Iterator[str]:
        """The line, and each line above it that is indented less: the keys that it belongs to."""
        depth = None
        for number in range(line, max(0, line - LINES_LOOKED_BACK), -1):
            text = self.line(number)
            indent = len(text) - len(text.lstrip(" -"))
            if indent < len(text) and (depth is None or indent < depth):
                yield text
                depth = indent
            if depth == 0:
                return

    def diagnostic(
        self, start: int, end: int, code: str, message: str, hint: str = "", *related: Related
    ) -> Diagnostic:
        """A problem between two offsets, marked as secret where its line may show one."""
        span = self.span(start, end)
        secret, line = self.may_show_secret(span.line), self.line(span.line)
        return Diagnostic(span, code, message, hint, related, secret=secret, source_line=line)
