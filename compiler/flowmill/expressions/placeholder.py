"""Stand-ins for values that a dry run does not have: `***` for every secret, and for every key of one."""

from typing import Any

from flowmill.expressions.keyed import Keyed


class Placeholder(Keyed):
    """A text that is also its own attributes."""

    __slots__ = ()

    def attribute(self, name: str) -> "Placeholder":
        """The stand-in for `value.name`."""
        return self


class Placeholders(dict[str, Any]):
    """A map that has every key, each with the same text as its value."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> Placeholder:
        return Placeholder(self._text)
