"""Where in a scalar, as it is written, a character of its value stands."""

import re

_WHITE = r"[ \t\r\n]+"
_ESCAPE = r"\\(?:x.{2}|u.{4}|U.{8}|\r?\n[ \t]*|.)"
_PIECES = {
    "": re.compile(rf"{_WHITE}|[^ \t\r\n]+"),
    "'": re.compile(rf"''|{_WHITE}|[^ \t\r\n']+"),
    '"': re.compile(rf"(?s:{_ESCAPE})|{_WHITE}|[^ \t\r\n\\]+"),
}
"""What a scalar that is not a block is made of, by its quote: pieces whose length as a value is known."""


def offset_in_scalar(written: str, style: str, value: str, offset: int) -> int:
    """Where in a scalar as it is written the character stands that is at `offset` in its value.

    `written` has the scalar's quotes, or the header of its block; `style` is its first character if that is a
    quote, `|` or `>`, and otherwise empty.
    """
    if style in ("|", ">"):
        return _offset_in_block(written, value, offset)
    quote, passed = len(style), 0
    for piece in _PIECES[style].finditer(written, quote, len(written) - quote):
        length, divisible = _value_length(piece[0], style)
        if passed + length > offset:
            return piece.start() + (offset - passed if divisible else 0)
        passed += length
    return len(written) - quote


def _value_length(piece: str, style: str) -> tuple[int, bool]:
    """How many characters of the value a piece makes, and whether it stands in the value as it is."""
    if style == '"' and piece[0] == "\\":
        return (0 if piece[1] in "\r\n" else 1), False
    if style == "'" and piece == "''":
        return 1, False
    breaks = piece.count("\n")
    return (max(1, breaks - 1), False) if breaks else (len(piece), True)


def _offset_in_block(written: str, value: str, offset: int) -> int:
    """Each line of a block stands in the value without its indentation, whether lines are folded or not."""
    header, *lines = written.split("\n")
    line_start, passed, result = len(header) + 1, 0, len(header) + 1
    first = next((line for line in lines if line.strip(" \r")), "")
    indent = leading_spaces(first) - leading_spaces(value.lstrip("\n"))
    for line in lines:
        text = line.rstrip("\r")[indent:]
        if text.strip(" "):
            found = value.find(text, passed)
            if not 0 <= found <= offset:
                break
            result = line_start + indent + min(offset - found, len(text))
            passed = found + len(text)
        line_start += len(line) + 1
    return min(result, len(written))


def leading_spaces(text: str) -> int:
    """How far a line is indented."""
    return len(text) - len(text.lstrip(" "))
