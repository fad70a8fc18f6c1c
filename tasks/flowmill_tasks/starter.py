"""What `flowmill new flow --type` writes for a step type: a step to begin with, and what a test of it expects."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Starter:
    """Texts in YAML that are right as they are; `${{ … }}` in them is the language's.

    Attributes:
        step: one item of `steps`, indented by two; `$needed` stands where the lines of `needed` go.
        expected: what its test expects besides success, indented by six; `$name` is the flow's name.
        needed: keys without which the step is not right, each with its line; one that a default gives is left out.
    """

    step: str
    expected: str
    needed: Mapping[str, str] = field(default_factory=dict)
