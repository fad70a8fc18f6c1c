"""Why one of our own functions refuses what it was given."""

from typing import Any

CHARACTERS_AT_MOST = 1024 * 1024
"""How long a text may become."""


class Refusal(Exception):
    """What is wrong with a function's input, in words that are shown to the user.

    Whoever raises it promises that `problem` and `hint` quote no value, since any value may be a secret. Whatever
    else is raised while an expression is evaluated is shown by the name of its class only.
    """

    def __init__(self, problem: str, hint: str = "") -> None:
        super().__init__(f"{problem}; {hint}" if hint else problem)
        self.problem = problem
        self.hint = hint


def refused(value: Any, problem: str, hint: str = "") -> Refusal:
    """A `Refusal` of this value, to be raised.

    Raises:
        UndefinedError: there is no value at all, which says more than that it is of the wrong kind.
    """
    from jinja2 import Undefined

    if isinstance(value, Undefined):
        str(value)
    return Refusal(problem, hint)


def bounded(length: int, who: str) -> None:
    """Refuse to make a text of this length out of shorter ones."""
    if length > CHARACTERS_AT_MOST:
        raise Refusal(f"`{who}` yields more than {CHARACTERS_AT_MOST:,} characters")


def number(value: Any, who: str) -> int | float:
    """The value, if it is a number; `true` is none."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise refused(value, f"`{who}` takes a number", "a text becomes one with `| int` or `| float`")


def items(value: Any, who: str) -> list[Any]:
    """The items of a list."""
    if isinstance(value, list | tuple):
        return list(value)
    raise refused(value, f"`{who}` takes a list", "a text becomes one with `| lines`, `| split(',')` or `| parse_json`")


def text(value: Any, who: str) -> str:
    """The value, if it is a text."""
    if isinstance(value, str):
        return str(value)
    raise refused(value, f"`{who}` takes a text", "a value becomes one with `| string`")
