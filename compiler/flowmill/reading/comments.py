"""The comments of a YAML document, which its parser throws away."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from flowmill.reading.source import Source

_BEGIN = re.compile(r"(?:^|(?<=\s))#", re.MULTILINE)


@dataclass(frozen=True)
class Comment:
    """A comment, from its `#` to the end of its line.

    Attributes:
        line, column: where the `#` stands, from 1.
        about: the line that the comment is about: its own, or, where it stands alone, the next one with content.
    """

    text: str
    line: int
    column: int
    about: int


def comments(source: Source) -> Iterator[Comment]:
    """The comments of a document that has been parsed without a problem, in order."""
    texts = _scalars(source.text)
    position = 0
    while begin := _BEGIN.search(source.text, position):
        start = begin.start()
        while texts and texts[0][1] <= start:
            texts.pop(0)
        if texts and texts[0][0] <= start:  # inside of a value
            position = texts[0][1]
            continue
        line, column = source.place(start)
        text = source.line(line)[column - 1 :]
        position = start + max(len(text), 1)
        yield Comment(text.rstrip(), line, column, _about(source, line, column))


def _scalars(text: str) -> list[tuple[int, int]]:
    """Where values and keys stand, in order."""
    loader = yaml.CBaseLoader if yaml.__with_libyaml__ else yaml.BaseLoader
    tokens = yaml.scan(text, Loader=loader)
    return [(it.start_mark.index, it.end_mark.index) for it in tokens if isinstance(it, yaml.ScalarToken)]


def _about(source: Source, line: int, column: int) -> int:
    if source.line(line)[: column - 1].strip():
        return line
    last = source.text.count("\n") + 1
    following = (number for number in range(line + 1, last + 1) if _has_content(source.line(number)))
    return next(following, line)


def _has_content(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")
