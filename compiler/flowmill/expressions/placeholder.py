"""Stand-ins for values that a dry run does not have: `***` for secrets, `<steps.load.stdout>` for results."""

from typing import Any


class Placeholder(str):
    """A text that also answers every attribute, with a placeholder."""

    __slots__ = ("_grows",)
    _grows: bool

    def __new__(cls, label: str, *, grows: bool) -> "Placeholder":
        """`grows` tells whether an attribute becomes part of the label."""
        text = super().__new__(cls, f"<{label}>" if grows else label)
        text._grows = grows
        return text

    def attribute(self, name: str) -> "Placeholder":
        """The stand-in for `value.name`."""
        return Placeholder(f"{self[1:-1]}.{name}", grows=True) if self._grows else self


class Placeholders(dict[str, Any]):
    """A map that has every key."""

    def __init__(self, label: str, *, grows: bool) -> None:
        super().__init__()
        self._label = label
        self._grows = grows

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> Placeholder:
        return Placeholder(f"{self._label}.{name}" if self._grows else self._label, grows=self._grows)
