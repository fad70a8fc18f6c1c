"""The parser's errors in the words of a person who has to mend the file."""

import re
from dataclasses import replace

from flowmill.diagnostics import Diagnostic, TextEdit
from flowmill.reading.scalar_places import leading_spaces
from flowmill.reading.source import LINES_LOOKED_BACK, Source

_QUOTED_AT_MOST = 60
_MISSING_SPACE = re.compile(r" *(?:- +)*([\w.-]+):(?=[^\s/])")


Insertions = tuple[tuple[int, str], ...]
Explained = tuple[str, str] | tuple[str, str, int, int] | tuple[str, str, int, int, Insertions]
"""A message and a hint; then, where it is not the place where the parser stopped, from where to where.

At last what to write where, so that the text says what its author sees in it.
"""


def syntax_problem(source: Source, words: str, start: int, at: int) -> Diagnostic:
    """What a person has to change so that a text becomes YAML.

    Args:
        source: the file.
        words: the parser's own words, by which the frequent mistakes are told apart.
        start: where what the parser was reading begins.
        at: where the parser stopped.
    """
    code, explained = next((code, explained) for needle, code, explained in _MISTAKES if re.search(needle, words))
    message, hint, *places = explained(source, start, at) if callable(explained) else explained
    begin, end, insertions = (*places, ())[:3] if places else (at, at + 1, ())
    return replace(source.diagnostic(begin, end, code, message, hint), fix=inserted(source, insertions))


def inserted(source: Source, insertions: Insertions) -> tuple[TextEdit, ...]:
    """The edits that write texts at offsets."""
    return tuple(TextEdit(source.span(offset, offset), text) for offset, text in insertions)


def quotes_around(text: str, start: int) -> Insertions:
    """Quotes at both ends of a text that begins at an offset; none where one of its characters needs an escape."""
    quote = next((it for it in "\"'" if it not in text and not (it == '"' and "\\" in text)), "")
    return ((start, quote), (start + len(text), quote)) if quote and text else ()


def missing_space(source: Source, offset: int) -> Explained | None:
    """What is wrong with the line of an offset if it is one such as `retries:3`."""
    match = _MISSING_SPACE.match(source.text, _line_start(source, offset))
    if match is None:
        return None
    message = f"a space is missing after `{match[1]}:`"
    return message, "", match.start(1), match.end(), ((match.end(), " "),)


def _line_start(source: Source, offset: int) -> int:
    return source.text.rfind("\n", 0, offset) + 1


def _unquoted(source: Source, start: int, at: int) -> Explained:
    first = source.text[start : start + 1]
    if "\t" in (first, source.text[at : at + 1]):
        return "a tab is used as indentation, where YAML allows only spaces", "replace the tab by spaces"
    return _to_be_quoted(source, start, start, f"a value that begins with `{first}` must be quoted")


def _to_be_quoted(source: Source, start: int, value: int, message: str) -> Explained:
    """The mistake from `start` to the end of the value that begins at `value`; a secret is not repeated."""
    line, column = source.place(value)
    before, rest = source.line(line)[: column - 1], source.line(line)[column - 1 :]
    in_brackets = sum(map(before.count, "[{")) > sum(map(before.count, "]}"))
    text = re.split(r"[ \t]#|[,\]}]" if in_brackets else r"[ \t]#", rest, maxsplit=1)[0].rstrip()
    repeatable = len(text) <= _QUOTED_AT_MOST and not source.may_show_secret(line)
    hint = f"quote this value: {_quoted(text)}" if repeatable else "put the value in quotes"
    insertions = () if text[:1] in "'\"" else quotes_around(text, value)
    return message, hint, start, max(value + len(text), start + 1), insertions


def _quoted(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        text = text[1:-1]
    return "'" + text.replace("'", "''") + "'" if {'"', "\\"} & set(text) else f'"{text}"'


def _stray_colon(source: Source, start: int, at: int) -> Explained:
    begin = _line_start(source, at)
    if inside := re.compile(r":[ \t]+").search(source.text, begin, at):
        return _to_be_quoted(source, inside.end(), inside.end(), "a value that holds `: ` must be quoted")
    above = _line_start(source, len(source.text[:begin].rstrip()))
    if missing_space(source, above) or ":" not in source.text[above:begin]:
        return _no_colon(source, above + leading_spaces(source.text[above:begin]), begin)
    message = "this key is indented deeper than the line above, which is complete without it"
    return message, "line it up with the other keys", begin + leading_spaces(source.text[begin:at]), at


def _no_colon(source: Source, start: int, at: int) -> Explained:
    end = start + len(source.text[start:at].split("\n", 1)[0].rstrip())
    message, hint = "expected a key, a colon and a space", "text over several lines is indented below its key"
    return missing_space(source, start) or (message, hint, start, end)


def _unclosed_quote(source: Source, start: int, at: int) -> Explained:
    return (
        "the quote that opens here is never closed",
        f"close it with {source.text[start]}",
        start,
        start + 1,
    )


def _unexpected(source: Source, start: int, at: int) -> Explained:
    """The parser found something that does not go on with the list or the map that it was reading."""
    text = source.text
    (line, outer), (_, inner) = source.place(start), source.place(at)
    if after_quote := _after_quote(source, at):
        return after_quote
    if text[start] in "[{" and text[at : at + 1].strip() in ("", ":"):
        return f"the `{text[start]}` that opens here is never closed", "", start, start + 1
    if text[start] in "[{":
        return f"expected `,` or the end of the `{text[start]}` on line {line}", ""
    if text[_line_start(source, at) : at].strip(" "):
        return "the value is complete before this", "quote the whole value if it is text"
    if outer == inner:
        found, place = ("a key", "a list") if text[start] == "-" else ("a list item", "a map")
        return f"{found} cannot stand in {place}, which begins on line {line}", "check the indentation"
    message = f"the indentation of this line ({inner - 1}) fits nothing above it"
    return message, f"what begins on line {line} has an indentation of {outer - 1}"


def _after_quote(source: Source, at: int) -> Explained | None:
    """The parser stopped behind a closing quote: of a quote in this line, or of one that was left open."""
    (last, _), begin = source.place(at), _line_start(source, at)
    head = source.text[begin:at].rstrip()
    if not head.endswith(("'", '"')):
        return None
    opening = re.compile(rf"(?:^|[-:,\[{{])[ \t]*({head[-1]})")
    if match := opening.search(head[:-1]):
        return _to_be_quoted(source, at, begin + match.start(1), "text stands after the closing quote")
    for line in range(last - 1, max(0, last - LINES_LOOKED_BACK), -1):
        begin = _line_start(source, begin - 1)
        match = opening.search(source.line(line))
        if match and head[-1] not in source.line(line)[match.end() :]:
            message = f"the quote that opens here is closed only on line {last}"
            return message, "close it on its own line", begin + match.start(1), begin + match.end(1)
    return None


_AS_TEXT = "quote the value if it is text"
_MISTAKES = (
    ("tab character|start any token|scanning an a|block scalar|keys are not", "yaml-syntax", _unquoted),
    ("entries are not allowed", "yaml-syntax", ("a list must begin on a line of its own", _AS_TEXT)),
    ("values are not allowed", "yaml-syntax", _stray_colon),
    ("expected ':'", "yaml-syntax", _no_colon),
    (
        "unknown escape",
        "yaml-syntax",
        ("this is not an escape", r"use single quotes, or `\\` for a backslash"),
    ),
    ("escape code", "yaml-character", ("this escape is no character", r"write `\U0001F600` beyond U+FFFF")),
    ("quoted scalar", "yaml-syntax", _unclosed_quote),
    ("undefined alias", "yaml-alias", ("this alias refers to no anchor", _AS_TEXT)),
    ("duplicate anchor", "yaml-alias", ("this anchor is defined twice", "give it another name")),
    ("document", "yaml-documents", ("a second document begins here", "put it in a file of its own")),
    ("tag", "yaml-tag", ("tags are not supported", _AS_TEXT)),
    ("node content", "yaml-syntax", ("a value is missing before this", _AS_TEXT)),
    ("expected", "yaml-syntax", _unexpected),
    ("", "yaml-syntax", ("this is not YAML", "")),
)
"""What to look for in the parser's words, the code, and what to say; the first row that fits is taken."""
