"""Text with `${{ … }}` in it, taken apart; `$${{` stands for a literal `${{`."""

import re
from dataclasses import dataclass
from functools import lru_cache

from flowmill.diagnostics import Part

OPEN, CLOSE, ESCAPED = "${{", "}}", "$${{"

_STRINGS_OR_END = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|\}\}""", re.DOTALL)
_OPENING = re.compile(r"\$?\$\{\{")


@dataclass(frozen=True)
class Expression:
    """One `${{ … }}`: its source without the delimiters, and where that source starts in the text."""

    source: str
    start: int


@dataclass(frozen=True)
class Unclosed:
    """A `${{` that no `}}` follows, with its place in the text."""

    part: Part


Piece = str | Expression


@lru_cache(maxsize=4096)
def split(text: str) -> tuple[Piece, ...] | Unclosed:
    """The literal pieces and the expressions of `text`, in order."""
    pieces: list[Piece] = []
    literal, position = "", 0
    while opening := _OPENING.search(text, position):
        literal += text[position : opening.start()]
        if opening.group() == ESCAPED:
            literal, position = literal + OPEN, opening.end()
            continue
        end = _end_of_expression(text, opening.end())
        if end is None:
            return Unclosed(Part(opening.start(), len(text)))
        pieces += [literal] * bool(literal)
        pieces.append(Expression(text[opening.end() : end], opening.end()))
        literal, position = "", end + len(CLOSE)
    literal += text[position:]
    return (*pieces, literal) if literal or not pieces else tuple(pieces)


def _end_of_expression(text: str, start: int) -> int | None:
    """Where the `}}` stands that ends the expression; one inside a quoted string does not count."""
    for match in _STRINGS_OR_END.finditer(text, start):
        if match.group() == CLOSE:
            return match.start()
    return None


def join(pieces: tuple[Piece, ...]) -> str:
    """The text that `split` takes apart into these pieces."""
    return "".join(
        f"{OPEN}{piece.source}{CLOSE}" if isinstance(piece, Expression) else piece.replace(OPEN, ESCAPED)
        for piece in pieces
    )


def has_expression(text: str) -> bool:
    """Whether `text` needs this module at all (a cheap test, true for escaped openings as well)."""
    return OPEN in text
