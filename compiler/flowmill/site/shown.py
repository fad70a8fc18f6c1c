"""The values of a flow in one environment as pages may show them: no credential, no invisible character."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flowmill.explain import Fact
from flowmill.report.explanation import text_of
from flowmill.report.style import printable


@dataclass(frozen=True)
class Shown:
    """What `flowmill explain` knows of a flow, by the place in the spec."""

    facts: tuple[Fact, ...]

    @cached_property
    def _by_route(self) -> dict[tuple[str | int, ...], Fact]:
        return {fact.route: fact for fact in self.facts}

    def at(self, *route: str | int) -> Any:
        """The value at a place, set or by default; None where there is none."""
        fact = self._by_route.get(route)
        return None if fact is None else fact.shown

    def text(self, *route: str | int) -> str:
        """The value on one line; empty where there is none."""
        value = self.at(*route)
        return "" if value in (None, "", []) else text_of(value)

    def texts(self, *route: str | int) -> tuple[str, ...]:
        """The items of a list, each on one line; a value alone is a list of it."""
        value = self.at(*route)
        items: Iterable[Any] = value if isinstance(value, list) else [] if value in (None, "") else [value]
        return tuple(map(text_of, items))

    def paragraphs(self, *route: str | int) -> tuple[str, ...]:
        """The paragraphs of a text: what empty lines part, each on one line."""
        return paragraphs(self.at(*route))


def paragraphs(text: Any) -> tuple[str, ...]:
    """The paragraphs of a text: what empty lines part, each on one line."""
    parts = "\n".join(line.strip() for line in str(text or "").splitlines()).split("\n\n")
    return tuple(printable(" ".join(part.split())) for part in parts if part.strip())
