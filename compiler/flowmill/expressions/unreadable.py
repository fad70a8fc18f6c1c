"""An expression that Jinja2's parser refuses: at which word, in our words, and what other languages' operators mean."""

import re
from collections.abc import Iterator
from itertools import accumulate

from jinja2 import TemplateSyntaxError
from jinja2.parser import Parser

from flowmill.diagnostics import Part
from flowmill.expressions.problem import Problem

OPEN, CLOSE = "{{", "}}"
"""What Jinja2 wants around an expression."""

_MEANT = {"&&": "and", "||": "or", "!": "not", "===": "==", "!==": "!=", "<>": "!="}
_CONDITIONAL = "write `this if condition else that`"
_TEXT = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
"""A text within an expression: whatever is in it is none of our business."""
_OPERATOR = re.compile(rf"{_TEXT}|(?P<operator>&&|\|\||===|!==|<>|!(?!=)|\?)", re.DOTALL)
_BRACKET = re.compile(rf"{_TEXT}|(?P<bracket>[][(){{}}])", re.DOTALL)
_OPENED_BY = {")": "(", "]": "[", "}": "{"}
_CHARACTER = re.compile(r"unexpected char .* at (?P<offset>\d+)", re.DOTALL)


def unreadable(source: str, parser: Parser, error: TemplateSyntaxError) -> tuple[Problem, ...]:
    """What is wrong with a source that this parser has stopped in; never empty."""
    foreign = tuple(_foreign(source))
    if foreign:
        return foreign
    stray = _stray_character(source, parser) or _unbalanced(source)
    return (stray or _at_a_word(source, parser, error.message or ""),)


def _foreign(source: str) -> Iterator[Problem]:
    for found in _OPERATOR.finditer(source):
        operator = found["operator"]
        if not operator:
            continue
        part = Part(found.start(), found.end())
        meant = _MEANT.get(operator, "")
        hint = f"write `{meant}`" if meant else _CONDITIONAL
        message = f"`{operator}` is no operator of expressions"
        # `!a == b` is not what `not a == b` is: `not` comes last.
        instead = "" if operator == "!" else _spaced(meant, source, part)
        yield Problem("bad-expression", message, part, hint, instead)


def _spaced(meant: str, source: str, part: Part) -> str:
    """A word has to stand alone: `a&&b` is `a and b`."""
    before, after = source[: part.start][-1:], source[part.end :][:1]
    if not meant.isalpha():
        return meant
    return " " * (not before.isspace()) + meant + " " * (not after.isspace())


def _stray_character(source: str, parser: Parser) -> Problem | None:
    try:
        _words(source, parser)
    except TemplateSyntaxError as error:
        character = _CHARACTER.match(error.message or "")
        return _no_part_of_it(source, int(character["offset"]) - len(OPEN)) if character else None
    return None


def _no_part_of_it(source: str, offset: int) -> Problem:
    character = source[offset : offset + 1]
    if character in ("'", '"'):
        message, hint = "this text is never closed", f"end it with `{character}`"
        return Problem("bad-expression", message, Part(offset, len(source)), hint)
    return Problem("bad-expression", _told(f"`{character}` has no meaning in it"), Part(offset, offset + 1))


def _unbalanced(source: str) -> Problem | None:
    """The first bracket that closes nothing, or else the last that is never closed."""
    opened: list[re.Match[str]] = []
    for found in _BRACKET.finditer(source):
        if found["bracket"] in _OPENED_BY.values():
            opened.append(found)
        elif found["bracket"] and not (opened and opened.pop()["bracket"] == _OPENED_BY[found["bracket"]]):
            return _bracket(found, "closes nothing")
    return _bracket(opened[-1], "is never closed") if opened else None


def _bracket(found: re.Match[str], what: str) -> Problem:
    message = f"`{found['bracket']}` {what} in this expression"
    return Problem("bad-expression", message, Part(found.start(), found.end()))


def _at_a_word(source: str, parser: Parser, message: str) -> Problem:
    part = _word(source, parser) or Part(0, len(source))
    hint = "two values are compared with `==`" if source[part.start : part.end] == "=" else ""
    return Problem("bad-expression", _told(_reworded(message)), part, hint)


def _word(source: str, parser: Parser) -> Part | None:
    """Where the word stands that the parser could not go on with; None for the end, and where it cannot be told."""
    words = _words(source, parser)
    left = sum(1 for _ in parser.stream)
    start, end = words[-left] if 0 < left <= len(words) else (0, 0)
    if not len(OPEN) <= start < len(OPEN) + len(source):
        return None
    return Part(start - len(OPEN), min(end - len(OPEN), len(source)))


def _words(source: str, parser: Parser) -> list[tuple[int, int]]:
    """Where each word begins and ends, the brackets around the expression included."""
    tokens = [*parser.environment.lex(OPEN + source + CLOSE)]
    ends = accumulate(len(value) for _, _, value in tokens)
    return [(end - len(value), end) for (_, kind, value), end in zip(tokens, ends, strict=True) if kind != "whitespace"]


def _told(what: str) -> str:
    return f"cannot be read as an expression: {what}"


def _reworded(message: str) -> str:
    """What Jinja's parser says, without its words for the template around an expression."""
    text = message.rstrip(".").replace("'end of print statement'", "its end").replace("token ", "")
    text = text.replace("unexpected its end", "it ends too early").replace("Unexpected its end", "it ends too early")
    return (text[:1].lower() + text[1:]).replace("'", "`")
