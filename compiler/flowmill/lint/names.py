"""Names that people take for one another."""

from collections import defaultdict
from collections.abc import Iterable


def alike(names: Iterable[str]) -> list[list[str]]:
    """The groups of names, each sorted, that differ in nothing but `-`, `_` and a final `s`."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name in sorted(names):
        groups[name.replace("-", "").replace("_", "").removesuffix("s")].append(name)
    return [group for group in groups.values() if len(group) > 1]
