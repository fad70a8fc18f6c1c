"""What is wrong with an expression, as data."""

from dataclasses import dataclass

from flowmill.diagnostics import Part


@dataclass(frozen=True)
class Problem:
    """What is wrong with an expression, as offsets into its source."""

    code: str
    message: str
    part: Part
    hint: str = ""
    instead: str = ""
    """What was certainly meant by the word at the part."""
