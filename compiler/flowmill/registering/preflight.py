"""What stands in the way of registering, or of the runs afterwards, before anything is written."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Obstacle:
    """Something that is not as it should be.

    Attributes:
        severity: an `error` keeps everything from being registered; a `warning` keeps runs from starting.
        made: whether `--create` mends it.
    """

    severity: Literal["error", "warning"]
    message: str
    hint: str
    made: bool = False
