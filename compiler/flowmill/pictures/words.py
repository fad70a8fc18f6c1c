"""Small texts in pictures: one line of a text."""

from flowmill.report.style import printable


def one_line(text: str) -> str:
    """A text without line breaks, and without anything that steers a terminal or hides."""
    return printable(" ".join(text.split()))
