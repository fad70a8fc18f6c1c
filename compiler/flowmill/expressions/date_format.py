"""Times as text: strftime's codes as Python documents them, in English, and alike on every platform.

The platform's own strftime would speak the language of the process, pass a code through that it does not know,
and forget the zeros of an early year.
"""

import re
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Any

from flowmill.expressions.refusal import Refusal, text

Piece = str | Callable[[datetime], str]

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_CODE = re.compile(r"%(:?[A-Za-z]|-[A-Za-z]|.?)", re.DOTALL)


def _week(time: datetime, first_day: int) -> int:
    """The week of the year, if weeks start on this day (Monday is 0) and days before the first one are in week 0."""
    return (time.timetuple().tm_yday + 6 - (time.weekday() - first_day) % 7) // 7


def _offset(time: datetime, colon: str) -> str:
    seconds = round(offset.total_seconds()) if (offset := time.utcoffset()) else 0
    minutes, rest = divmod(abs(seconds), 60)
    clock = f"{minutes // 60:02}{colon}{minutes % 60:02}" + (f"{colon}{rest:02}" if rest else "")
    return f"{'-' if seconds < 0 else '+'}{clock}"


_CODES: dict[str, Callable[[datetime], str]] = {
    "a": lambda time: _DAYS[time.weekday()][:3],
    "A": lambda time: _DAYS[time.weekday()],
    "w": lambda time: str(time.isoweekday() % 7),
    "u": lambda time: str(time.isoweekday()),
    "d": lambda time: f"{time.day:02}",
    "b": lambda time: _MONTHS[time.month - 1][:3],
    "B": lambda time: _MONTHS[time.month - 1],
    "m": lambda time: f"{time.month:02}",
    "y": lambda time: f"{time.year % 100:02}",
    "Y": lambda time: f"{time.year:04}",
    "H": lambda time: f"{time.hour:02}",
    "I": lambda time: f"{(time.hour - 1) % 12 + 1:02}",
    "p": lambda time: "AM" if time.hour < 12 else "PM",
    "M": lambda time: f"{time.minute:02}",
    "S": lambda time: f"{time.second:02}",
    "f": lambda time: f"{time.microsecond:06}",
    "z": lambda time: _offset(time, ""),
    ":z": lambda time: _offset(time, ":"),
    "Z": lambda time: time.tzname() or "",
    "j": lambda time: f"{time.timetuple().tm_yday:03}",
    "U": lambda time: f"{_week(time, 6):02}",
    "W": lambda time: f"{_week(time, 0):02}",
    "G": lambda time: f"{time.isocalendar().year:04}",
    "V": lambda time: f"{time.isocalendar().week:02}",
    "c": lambda time: formatted(time, f"%a %b {time.day:2} %H:%M:%S %Y"),
    "x": lambda time: formatted(time, "%m/%d/%y"),
    "X": lambda time: formatted(time, "%H:%M:%S"),
}
_UNPADDED = frozenset("dmHIMSjy")
_FOREIGN = {
    "%F": "%Y-%m-%d", "%T": "%H:%M:%S", "%R": "%H:%M", "%D": "%m/%d/%y", "%e": "%-d", "%h": "%b",
    "%k": "%-H", "%l": "%-I", "%n": "\\n", "%t": "\\t",
}  # fmt: skip
"""What only some platforms know, and how to write it here."""


def formatted(time: datetime, pattern: str) -> str:
    """The time in this format.

    Raises:
        Refusal: the format holds a code that there is not.
    """
    return "".join(piece if isinstance(piece, str) else piece(time) for piece in pieces(text(pattern, "date")))


@lru_cache(maxsize=256)
def pieces(pattern: Any) -> tuple[Piece, ...]:
    """The texts and the codes of a format."""
    found: list[Piece] = []
    position = 0
    for match in _CODE.finditer(text(pattern, "date")):
        found += [pattern[position : match.start()], _piece(match[0])]
        position = match.end()
    return (*found, pattern[position:])


def _piece(written: str) -> Piece:
    code = written[1:]
    if code in _CODES:
        return _CODES[code]
    if code == "%":
        return code
    if code[:1] == "-" and code[1:] in _UNPADDED:
        padded = _CODES[code[1:]]
        return lambda time: padded(time).lstrip("0") or "0"
    hint = f"write `{_FOREIGN[written]}`" if written in _FOREIGN else "a percent sign itself is written `%%`"
    raise Refusal(f"`date` knows no code `{written}`", hint)
