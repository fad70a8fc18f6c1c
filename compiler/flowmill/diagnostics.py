"""What is wrong with a user's file: a value with a place, never an exception.

A check yields a `Finding`, which names a route into the document and knows no line numbers. One function
(`Tree.locate`) turns the route into a `Span`; the result is a `Diagnostic`, which every output format shows.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

Route = tuple[str | int, ...]
"""Keys and indices from the root of a document: `("steps", 2, "image")`."""


class Severity(StrEnum):
    """How bad it is: an error fails the validation, a warning is probably a mistake, an info is worth knowing."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, order=True)
class Span:
    """A stretch of one file; lines and columns count from 1, in characters, and the end is exclusive."""

    path: str
    line: int = 1
    column: int = 1
    end_line: int = 1
    end_column: int = 1


@dataclass(frozen=True)
class Part:
    """A stretch inside a scalar, as offsets into its value: where an expression has its misspelt name."""

    start: int
    end: int


@dataclass(frozen=True)
class Related:
    """A second place that belongs to a problem: the other duplicate, the declaration."""

    span: Span
    message: str


@dataclass(frozen=True)
class RelatedRoute:
    """A `Related` before its route is turned into a place."""

    route: Route
    message: str
    at_key: bool = False


@dataclass(frozen=True)
class RouteEdit:
    """A `TextEdit` before its route is turned into a place: `text` instead of what is written there."""

    route: Route
    text: str
    at_key: bool = False
    part: Part | None = None


@dataclass(frozen=True, order=True)
class TextEdit:
    """Write `text` in place of a stretch of a file; an empty stretch inserts it."""

    span: Span
    text: str


@dataclass(frozen=True)
class Finding:
    """A problem found by a check, with a route instead of a place.

    Attributes:
        route: where; a route that ends at an absent key means its parent.
        code: a stable kebab-case word, documented in docs/codes.md.
        message: lower case, no full stop, quotes the user's text in backticks.
        hint: the likely fix, one sentence.
        at_key: point at the key instead of its value.
        part: point inside the scalar.
        details: lines to show below the place: what differs, say.
        fix: edits that mend it without changing what the author means; empty where that takes a person.
    """

    route: Route
    code: str
    message: str
    hint: str = ""
    at_key: bool = False
    part: Part | None = None
    related: tuple[RelatedRoute | Related, ...] = ()
    severity: Severity = Severity.ERROR
    details: tuple[str, ...] = ()
    fix: tuple[RouteEdit, ...] = ()


@dataclass(frozen=True)
class Diagnostic:
    """A problem with its place: what every output format shows."""

    span: Span
    code: str
    message: str
    hint: str = ""
    related: tuple[Related, ...] = ()
    severity: Severity = Severity.ERROR
    details: tuple[str, ...] = ()
    """Lines below the place; those that begin with `- ` and `+ ` are what was expected, and what there is."""
    fix: tuple[TextEdit, ...] = field(default=(), compare=False)
    """Edits that mend it, all of them together, without changing what the author means."""
    secret: bool = field(default=False, compare=False)
    """The source line may hold a secret value: formats must not print what stands behind the key."""
    source_line: str = field(default="", compare=False)
    """The line of the file that the span starts in, as it is; empty where there is none to show."""

    @property
    def with_hint(self) -> str:
        """The message with the hint behind it, for whoever shows both in one."""
        return f"{self.message} ({self.hint})" if self.hint else self.message


def in_order(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """The diagnostics without repetitions, by file, line and column."""
    unique = dict.fromkeys(diagnostics)
    return sorted(unique, key=lambda d: (d.span, d.code, d.message))
