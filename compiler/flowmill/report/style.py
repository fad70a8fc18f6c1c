"""Colour on a terminal, none in a pipe, and never a control character out of a user's file."""

import re
from dataclasses import dataclass

_CODES = {"bold": "1", "red": "31", "yellow": "33", "green": "32", "blue": "34", "dim": "2"}
_UNSAFE = re.compile(
    r"[\x00-\x08\x0a-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    r"\ufeff\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)


@dataclass(frozen=True)
class Style:
    """How to print: with colours or without."""

    colour: bool = False

    def paint(self, text: str, *names: str) -> str:
        """The text in these colours, where there are any."""
        if not self.colour or not text:
            return text
        return f"\x1b[{';'.join(_CODES[name] for name in names)}m{text}\x1b[0m"


def printable(text: str) -> str:
    """The text with everything that would steer a terminal, or hide, spelt out as an escape."""
    return _UNSAFE.sub(lambda match: match.group().encode("unicode_escape", "surrogatepass").decode(), text)
