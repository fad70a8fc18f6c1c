"""Characters that no spec may hold: those that steer a terminal, hide, or reorder what a reader sees."""

import re
from itertools import islice

from flowmill.diagnostics import Diagnostic
from flowmill.reading.source import Source

_REPORTED_CHARACTERS = 20
_USUAL_BYTES = bytes([0x09, 0x0A, *range(0x20, 0x7F)])
_CONTROLS = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff"
_INVISIBLE = r"\xad\u061c\u180e\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f"
_EMOJI = r"[\u2190-\u2bff\ufe0f\U0001f000-\U0001faff]"
FORBIDDEN = re.compile(
    rf"[{_CONTROLS}{_INVISIBLE}\r\u200d](?:(?<![\r\u200d])|(?<=\r)(?!\n)"
    rf"|(?<=\u200d)(?:(?<!{_EMOJI}\u200d)|(?!{_EMOJI})))"  # a joiner between two emoji can be seen
)
"""Characters that a reader of the file cannot see, or that change how the text around them is shown."""


def character_problems(source: Source) -> list[Diagnostic]:
    """The first characters of a text that must not be in it, in order."""
    if source.text.isascii() and not source.text.encode().translate(None, _USUAL_BYTES):
        return []
    matches = islice(FORBIDDEN.finditer(source.text), _REPORTED_CHARACTERS)
    return [forbidden_character(source, *match.span(), match[0]) for match in matches]


def forbidden_character(source: Source, start: int, end: int, character: str) -> Diagnostic:
    """The problem that a character is, with its number and its name."""
    if source.text[start:end] == "\r":
        message = "this line ends with a carriage return alone"
        return source.diagnostic(start, end, "yaml-encoding", message, "save the file with LF line ends")
    import unicodedata  # a megabyte that only a faulty file needs

    category = unicodedata.category(character)
    nameless = {"Cc": "a control character", "Cs": "half of a pair"}.get(category, "not a character")
    name = unicodedata.name(character, nameless).lower()
    message = f"the character U+{ord(character):04X} ({name}) is not allowed"
    hint = "it cannot be seen and changes what a reader sees; remove it" if category == "Cf" else "remove it"
    return source.diagnostic(start, end, "yaml-character", message, hint)
