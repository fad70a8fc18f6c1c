"""Small texts in pictures: durations as they are written in specs, one line of a text."""

from flowmill.report.style import printable

_UNITS = ((86400, "d"), (3600, "h"), (60, "m"))


def duration(seconds: float) -> str:
    """Seconds as people write them: `1h30m`."""
    text, left = "", seconds
    for size, unit in _UNITS:
        count, left = divmod(left, size)
        text += f"{count:.0f}{unit}" if count else ""
    return text + (f"{left:g}s" if left or not text else "")


def one_line(text: str) -> str:
    """A text without line breaks, and without anything that steers a terminal or hides."""
    return printable(" ".join(text.split()))
