"""What stands in the way of registering, or of the runs afterwards, before anything is written."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal


@dataclass(frozen=True)
class Obstacle:
    """Something that is not as it should be.

    Attributes:
        severity: an `error` keeps everything from being registered; a `warning` keeps runs from starting, or says
            what is easily overlooked.
        made: whether `--create` mends it.
    """

    severity: Literal["error", "warning"]
    message: str
    hint: str
    made: bool = False


def as_warnings(obstacles: Iterable[Obstacle]) -> list[Obstacle]:
    """The same, none of which keeps anything from being registered."""
    return [replace(it, severity="warning") for it in obstacles]
