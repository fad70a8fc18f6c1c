"""The secrets that written expressions lead to: by name, or through what they refer to."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flowmill.diagnostics import Part, Route
from flowmill.elaborating.bound_flow import BoundFlow
from flowmill.elaborating.expression_findings import step_expressions
from flowmill.expressions.language import Path


@dataclass(frozen=True)
class LedTo:
    """A secret that an expression leads to.

    Attributes:
        place: the text that the expression stands in, and `part`, the word in it that leads there.
        secret: the secret's name, `secrets.mail.password`.
        through: the name that is written, where the secret is only behind it: `vars.password`.
    """

    place: Route
    part: Part
    secret: str
    through: str = ""

    def told(self, message: str) -> str:
        """A message about the secret, with what it comes through."""
        return f"{message}: `{self.through}` holds it" if self.through else message


def secrets_led_to(flow: BoundFlow, written: Mapping[str, Any], route: Route) -> Iterator[LedTo]:
    """The secrets in a map of keys of a flow as they were written; of those behind one name the first."""
    for place, piece, parsed in step_expressions(written, route):
        for path in parsed.references:
            secret = next((name for name in (path, *flow.names_behind.of(path)) if name[0] == "secrets"), None)
            if secret is not None:
                found = parsed.place(path)
                part = Part(piece.start + found.start, piece.start + found.end)
                yield LedTo(place, part, ".".join(secret), _through(path, secret))


def _through(path: Path, secret: Path) -> str:
    return "" if path is secret else ".".join(path)
