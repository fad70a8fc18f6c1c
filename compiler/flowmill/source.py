"""The text of one file: read safely, mapped to lines and columns, and explained where it is not YAML."""

import errno
import os
import re
import stat
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property, lru_cache
from itertools import islice
from pathlib import Path

from flowmill.diagnostics import Diagnostic, Related, Span

SIZE_LIMIT = 1024 * 1024
"""Bytes that a file may have; a spec of a thousand steps needs a third of it."""

_REPORTED_CHARACTERS = 20
_LINES_LOOKED_BACK = 200
_QUOTED_AT_MOST = 60

_CONTROLS = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff"
_INVISIBLE = r"\xad\u061c\u180e\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f"
_EMOJI = r"[\u2190-\u2bff\ufe0f\U0001f000-\U0001faff]"
FORBIDDEN = re.compile(
    rf"[{_CONTROLS}{_INVISIBLE}\r\u200d](?:(?<![\r\u200d])|(?<=\r)(?!\n)"
    rf"|(?<=\u200d)(?:(?<!{_EMOJI}\u200d)|(?!{_EMOJI})))"  # a joiner between two emoji can be seen
)
"""Characters that a reader of the file cannot see, or that change how the text around them is shown."""

_USUAL_BYTES = bytes([0x09, 0x0A, *range(0x20, 0x7F)])
_OTHER_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
_TOO_LARGE = f"is too large: at most {SIZE_LIMIT:,} bytes (1 MiB) are read"
_real_folder = lru_cache(maxsize=8)(os.path.realpath)
_KINDS = {"d": "a folder", "p": "a named pipe", "s": "a socket", "c": "a device", "b": "a device"}

_CREDENTIAL = re.compile("pass|pwd|secret|token|webhook|credential|api_?key|private")
_CREDENTIAL_WORDS = ("password", "passwd", "secret", "token", "webhook", "credential", "apikey", "private")
_CREDENTIAL_VALUE = re.compile(
    r"xox[a-z]-|hooks\.slack\.com/services/|AKIA[0-9A-Z]{16}|-----BEGIN|://[^/\s:@]*:[^/\s@]+@"
)
_KEY = re.compile(r"(?<![\w.-])([\w.-]{1,80})[\"']?[ \t]*:")
_MISSING_SPACE = re.compile(r" *(?:- +)*([\w.-]+):(?=[^\s/])")


@dataclass(frozen=True)
class Source:
    """A file's text, without a byte order mark and with the line breaks that it has."""

    path: str
    """As it is shown to the user: relative where possible."""
    text: str

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer("\n", self.text))]

    def line(self, number: int) -> str:
        """A line, counted from 1, without its line break."""
        starts = self._line_starts
        end = starts[number] if number < len(starts) else len(self.text)
        return self.text[starts[number - 1] : end].rstrip("\r\n")

    def place(self, offset: int) -> tuple[int, int]:
        """The line and the column of an offset into the text, counted from 1."""
        line = bisect_right(self._line_starts, min(offset, len(self.text)))
        return line, min(offset, len(self.text)) - self._line_starts[line - 1] + 1

    def span(self, start: int, end: int) -> Span:
        """The stretch between two offsets, the second one exclusive."""
        return Span(self.path, *self.place(start), *self.place(max(start, end)))

    def may_show_secret(self, line: int) -> bool:
        """Whether a line holds a credential: by its keys, the keys it is nested under, and its text."""
        return bool(_CREDENTIAL_VALUE.search(self.line(line))) or any(
            looks_like_credential(key) for text in self._nesting(line) for key in _KEY.findall(text)
        )

    def _nesting(self, line: int) -> Iterator[str]:
        """The line, and each line above it that is indented less: the keys that it belongs to."""
        depth = None
        for number in range(line, max(0, line - _LINES_LOOKED_BACK), -1):
            text = self.line(number)
            indent = len(text) - len(text.lstrip(" -"))
            if indent < len(text) and (depth is None or indent < depth):
                yield text
                depth = indent
            if depth == 0:
                return

    def diagnostic(
        self, start: int, end: int, code: str, message: str, hint: str = "", *related: Related
    ) -> Diagnostic:
        """A problem between two offsets, marked as secret where its line may show one."""
        span = self.span(start, end)
        secret, line = self.may_show_secret(span.line), self.line(span.line)
        return Diagnostic(span, code, message, hint, related, secret=secret, source_line=line)


@lru_cache(maxsize=1024)
def looks_like_credential(key: str) -> bool:
    """Whether a key names a password, a token or the like, also when it is misspelt (`passwrod`)."""
    folded = key.lower().replace("-", "_")
    parts = {*folded.split("_"), folded.replace("_", "")}
    near = (get_close_matches(part[:40], _CREDENTIAL_WORDS, n=1, cutoff=0.8) for part in parts)
    return bool(_CREDENTIAL.search(folded)) or any(near)


def read_source(path: Path, shown: str, root: Path) -> Source | Diagnostic:
    """Read a UTF-8 text file of at most `SIZE_LIMIT` bytes.

    Never blocks on what is not a file, and follows a link only to a file inside `root`, the folder of the
    workspace. Messages call the file `shown`.
    """
    try:
        real = os.path.realpath(path, strict=True)
        if not real.startswith(_real_folder(root.absolute()).rstrip("/") + "/"):
            return _refusal(shown, "file-link", "leads out of the workspace and is not read")
        data = _read_bytes(real, shown)
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the name
        return _unreadable(path, shown, error)
    return data if isinstance(data, Diagnostic) else _decode(shown, data)


def _refusal(shown: str, code: str, message: str) -> Diagnostic:
    return Diagnostic(Span(shown), code, f"`{shown}` {message}")


def _read_bytes(real: str, shown: str) -> bytes | Diagnostic:
    refused = _refuse_kind_or_size(os.lstat(real), shown)  # before opening: opening a device may act on it
    if refused:
        return refused
    descriptor = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)  # again: it may be another file by now
        refused = _refuse_kind_or_size(status, shown)
        data = b"" if refused else file.read(status.st_size + 1)
    changing = _refusal(shown, "file-unreadable", "changes while it is read")
    return changing if len(data) > status.st_size else refused or data


def _refuse_kind_or_size(status: os.stat_result, shown: str) -> Diagnostic | None:
    if not stat.S_ISREG(status.st_mode):
        kind = _KINDS.get(stat.filemode(status.st_mode)[0], "a link")
        return _refusal(shown, "file-kind", f"is {kind}, not a file")
    return _refusal(shown, "file-size", _TOO_LARGE) if status.st_size > SIZE_LIMIT else None


def _unreadable(path: Path, shown: str, error: OSError | ValueError) -> Diagnostic:
    number = error.errno if isinstance(error, OSError) else errno.ENOENT
    if number == errno.ELOOP:
        return _refusal(shown, "file-link", "is a link that leads back to itself")
    if number in (errno.ENOENT, errno.ENOTDIR):
        is_link = isinstance(error, OSError) and path.is_symlink()
        message = "is a link to a file that does not exist" if is_link else "does not exist"
        return _refusal(shown, "file-missing", message)
    return _refusal(shown, "file-unreadable", f"cannot be read: {os.strerror(number or errno.EIO).lower()}")


def _decode(shown: str, data: bytes) -> Source | Diagnostic:
    data = data.removeprefix(b"\xef\xbb\xbf")
    if data.startswith(_OTHER_BYTE_ORDER_MARKS) or (b"\0" in data[:4] and data[:4].strip(b"\0")):
        return _wrong_encoding(Source(shown, ""), "the file is UTF-16 or UTF-32, not UTF-8")
    try:
        source = Source(shown, data.decode("utf-8"))
    except UnicodeDecodeError as error:
        reason = f"the byte 0x{data[error.start]:02x} is not valid UTF-8; the file may be Latin-1"
        return _wrong_encoding(Source(shown, data[: error.start].decode("utf-8")), reason)
    return next(iter(character_problems(source)), source)


def _wrong_encoding(read_so_far: Source, message: str) -> Diagnostic:
    end = len(read_so_far.text)
    return read_so_far.diagnostic(end, end + 1, "yaml-encoding", message, "save the file as UTF-8")


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
    indent = _leading_spaces(first) - _leading_spaces(value.lstrip("\n"))
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


def _leading_spaces(text: str) -> int:
    return len(text) - len(text.lstrip(" "))


Explained = tuple[str, str] | tuple[str, str, int, int]
"""A message and a hint; then, where it is not the place where the parser stopped, from where to where."""


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
    begin, end = places or (at, at + 1)
    return source.diagnostic(begin, end, code, message, hint)


def missing_space(source: Source, offset: int) -> Explained | None:
    """What is wrong with the line of an offset if it is one such as `retries:3`."""
    match = _MISSING_SPACE.match(source.text, _line_start(source, offset))
    return (f"a space is missing after `{match[1]}:`", "", match.start(1), match.end()) if match else None


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
    return message, hint, start, max(value + len(text), start + 1)


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
        return _no_colon(source, above + _leading_spaces(source.text[above:begin]), begin)
    message = "this key is indented deeper than the line above, which is complete without it"
    return message, "line it up with the other keys", begin + _leading_spaces(source.text[begin:at]), at


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
    for line in range(last - 1, max(0, last - _LINES_LOOKED_BACK), -1):
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
