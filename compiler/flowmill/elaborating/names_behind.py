"""The names behind other names: `vars.<name>` and `steps.<id>.<key>` stand for texts, which may use names themselves.

Folding puts these texts in, expressions and all. So whoever asks what a value may hold has to look behind them.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from flowmill.elaborating.expression_findings import step_expressions
from flowmill.elaborating.shapes import own_keys
from flowmill.expressions.language import Path
from flowmill_tasks.registry import Registry


class NamesBehind:
    """Knows the keys of a flow as they were written."""

    def __init__(self, written: Mapping[str, Any], registry: Registry) -> None:
        steps = written.get("steps")
        named = [step for step in steps if isinstance(step, dict)] if isinstance(steps, list) else []
        # The first of an id that is given twice, as folding has it.
        self._steps = {str(step.get("id")): step for step in reversed(named)}
        self._written = written
        self._registry = registry
        self._used: dict[Path, tuple[Path, ...]] = {}

    def of(self, path: Path) -> tuple[Path, ...]:
        """Every name that a name leads to, each once, the nearest first; nothing for one that only a run knows."""
        found: dict[Path, None] = {}
        waiting = [path]
        for name in waiting:  # grows meanwhile; a name that is found again, as in a circle, is not looked at twice
            new = [other for other in self._used_by(name) if other not in found]
            found |= dict.fromkeys(new)
            waiting += new
        return tuple(found)

    def _used_by(self, path: Path) -> tuple[Path, ...]:
        if path not in self._used:
            self._used[path] = tuple(dict.fromkeys(_names_in(self._text(path))))
        return self._used[path]

    def _text(self, path: Path) -> Any:
        if path[0] == "vars":
            return _at(self._written, path)
        step = self._steps.get(path[1]) if len(path) == 3 and path[0] == "steps" else None
        return step[path[2]] if step and path[2] in own_keys(step, self._registry) else None


def _names_in(value: Any) -> Iterator[Path]:
    for _, _, parsed in step_expressions({"": value}, ()):
        yield from parsed.references


def _at(value: Any, path: Path) -> Any:
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
