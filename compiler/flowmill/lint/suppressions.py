"""Comments that except a line from a rule: `# flowmill: ignore[too-often] until 2027-03-31: the reason`.

The comment stands at the end of the line that a finding begins on, or on lines of its own right above it. Only
rules and policies can be excepted, never an error of the language.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from flowmill.diagnostics import Diagnostic, Related, Severity, Span
from flowmill.lint.registry import rules
from flowmill.lint.settings import ActiveRule
from flowmill.pipeline import Compiled
from flowmill.reading.comments import Comment, comments
from flowmill.reading.source import Source
from flowmill.suggest import did_you_mean
from flowmill.workspace import Files

POLICY = "policy"
_EXAMPLE = "`# flowmill: ignore[too-often] until 2027-03-31: the reason`, where the day may be left out"
_OURS = re.compile(r"#\s*flowmill:")
_WRITTEN = re.compile(
    r"#\s*flowmill:\s*ignore\[(?P<codes>[^\]]*)\]\s*(?:until\s+(?P<day>[^\s:,]+)\s*)?[:,]?\s*(?P<reason>.*)"
)


@dataclass(frozen=True)
class Suppression:
    """One comment: the line that it is about, the codes that it excepts, its last day, where it stands."""

    path: str
    line: int
    codes: tuple[str, ...]
    last_day: date | None
    comment: Comment
    source: Source

    def told(self, code: str, message: str, hint: str = "", *related: Related) -> Diagnostic:
        """A problem with this comment, as a warning."""
        return _problem(self.source, self.comment, code, message, hint, Severity.WARNING, *related)


@dataclass(frozen=True)
class Scope:
    """What was looked at: it decides whether a suppression that nothing needs can be called unused.

    Attributes:
        today: the day that suppressions end on.
        is_fleet: whether the rules about all flows together have been asked.
    """

    files: Files
    compiled: Compiled
    active: list[ActiveRule]
    today: date
    is_fleet: bool

    @cached_property
    def sources(self) -> dict[str, Source]:
        """The files that may hold suppressions, by the path that diagnostics show."""
        trees = [
            self.files.tree,
            *(it.tree for it in self.files.projects.values()),
            *(it.tree for it in self.files.flows),
        ]
        return {path: source for tree in trees if tree for path, source in tree.sources.items()}

    def judges(self, path: str, code: str) -> bool:
        """Whether all was asked that could have needed this suppression."""
        if self.is_fleet:
            return True
        rule = rules().get(code)
        return path in self._flows_without_errors and not (rule and rule.check_fleet)

    @cached_property
    def _flows_without_errors(self) -> set[str]:
        """Only those were looked at; the error of one may stand in a file that it inherits from."""
        usable = {name for name, _ in self.compiled.usable}
        broken = {it.span.path for it in self.compiled.diagnostics if it.severity is Severity.ERROR}
        return {it.shown for it in self.files.flows if it.full_name in usable} - broken


@dataclass
class _Used:
    """The suppressions of all files, and what became of them."""

    suppressions: list[Suppression]
    used: set[tuple[int, str]] = field(default_factory=set)

    def excepts(self, diagnostic: Diagnostic, today: date) -> bool:
        """Whether a comment excepts it; the comment counts as needed even when its last day has passed."""
        excepted = False
        for index, it in enumerate(self.suppressions):
            place = (it.path, it.line)
            if place == (diagnostic.span.path, diagnostic.span.line) and diagnostic.code in it.codes:
                self.used.add((index, diagnostic.code))
                excepted = excepted or it.last_day is None or today <= it.last_day
        return excepted


def without_suppressed(found: Iterable[Diagnostic], scope: Scope) -> Iterator[Diagnostic]:
    """What is left of the findings of rules, and what is wrong with the comments that except some of them."""
    read = [it for source in scope.sources.values() for it in _read(source)]
    comments_used = _Used([it for it in read if isinstance(it, Suppression)])
    yield from (it for it in read if isinstance(it, Diagnostic))
    yield from [it for it in found if not comments_used.excepts(it, scope.today)]
    yield from _left_over(comments_used, scope)


def _left_over(comments_used: _Used, scope: Scope) -> Iterator[Diagnostic]:
    for index, it in enumerate(comments_used.suppressions):
        used = {code for position, code in comments_used.used if position == index}
        unused = [code for code in it.codes if code not in used and scope.judges(it.path, code)]
        if unused:
            names = ", ".join(f"`{code}`" for code in unused)
            yield it.told("unused-suppression", f"nothing here needs an exception from {names}", "remove the comment")
        elif it.last_day and it.last_day < scope.today:
            hint = "mend what it excepts, or give it another day"
            yield it.told("expired-suppression", f"the exception ended on {it.last_day}", hint)


def _read(source: Source) -> Iterator[Suppression | Diagnostic]:
    for comment in comments(source) if "flowmill" in source.text else ():
        if _OURS.match(comment.text):
            yield _suppression(source, comment)


def _suppression(source: Source, comment: Comment) -> Suppression | Diagnostic:
    match = _WRITTEN.fullmatch(comment.text)
    if not match:
        return _bad(source, comment, "this is not how an exception is written", f"write {_EXAMPLE}")
    codes = tuple(code.strip() for code in match["codes"].split(","))
    for code in codes:
        if code not in rules() and code != POLICY:
            return _unknown(source, comment, code)
    if not match["reason"].strip():
        return _bad(source, comment, "an exception needs a reason", f"write {_EXAMPLE}")
    last_day = _day(match["day"])
    if match["day"] and last_day is None:
        return _bad(source, comment, f"`{match['day']}` is not a day", "write it as `until 2027-03-31`")
    return Suppression(source.path, comment.about, codes, last_day, comment, source)


def _unknown(source: Source, comment: Comment, code: str) -> Diagnostic:
    from flowmill.codes import catalogue

    if code in catalogue():
        return _bad(source, comment, f"`{code}` is an error, from which there is no exception", "mend it")
    hint = did_you_mean(code, [*rules(), POLICY]) if code else f"write {_EXAMPLE}"
    return _bad(source, comment, f"there is no rule `{code}`" if code else "no rule is named", hint)


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text and len(text) == len("2027-03-31") else None
    except ValueError:
        return None


def _bad(source: Source, comment: Comment, message: str, hint: str) -> Diagnostic:
    return _problem(source, comment, "bad-suppression", message, hint, Severity.ERROR)


def _problem(
    source: Source, comment: Comment, code: str, message: str, hint: str, severity: Severity, *related: Related
) -> Diagnostic:
    start = comment.column
    span = Span(source.path, comment.line, start, comment.line, start + len(comment.text))
    line, secret = source.line(comment.line), source.may_show_secret(comment.line)
    return Diagnostic(span, code, message, hint, related, severity, secret=secret, source_line=line)
