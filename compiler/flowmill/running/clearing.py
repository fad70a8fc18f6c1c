"""What killed processes of this machine have left behind, removed before runs begin and while a worker lives."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from flowmill_tasks.base import Step

Tell = Callable[[str], None]


def clear_up(step_types: Iterable[type[Step]], tell: Tell) -> None:
    """Let each step type remove what its killed processes could not.

    Args:
        tell: gets what is done, a line at a time.
    """
    for step_type in step_types:
        step_type.clear_up(_Teller(tell))


@dataclass(frozen=True)
class _Teller:
    """A step's log whose lines are told."""

    tell: Tell

    def info(self, message: str) -> None:
        self.tell(message)

    warning = error = info
