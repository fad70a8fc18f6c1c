"""Putting values into a flow's keys before it runs: texts that stand for lists are split first.

The order matters: a value that is put in after the split can never become a second item of the list.
"""

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

from pydantic_core import PydanticCustomError

from flowmill.diagnostics import Finding, Route
from flowmill.elaborating.bound_flow import Context
from flowmill.elaborating.keys_of_steps import keys_for_the_run, keys_not_known
from flowmill.elaborating.shapes import is_condition, own_keys
from flowmill.expressions.language import ExpressionError, Path
from flowmill.expressions.render import Escape, Scope, fold
from flowmill.spec.flow import GROUPS
from flowmill_tasks.fields import Folded, Unrendered, exact_value
from flowmill_tasks.registry import Registry

REFERENCES_IN_A_ROW = 20
"""How many keys of steps may refer to each other one after the other."""
CHARACTERS_PUT_IN = 4 * 1024 * 1024
"""How long the texts of a flow that hold expressions may become, all together."""
_FIRST = ("vars", "owner", "description", "server")
"""The keys that become names in expressions, in the order in which they may use each other."""


class Folding:
    """Puts in what is known before the run. An expression that cannot be evaluated is reported and left.

    Attributes:
        constants: the names that are known when the flow is compiled, with their values; `steps` holds those keys of
            steps that the run needs.
        findings: what could not be evaluated.
    """

    def __init__(self, written: Mapping[str, Any], environment: str, context: Context) -> None:
        self._keys = _split(written, context.registry)
        self.findings: list[Finding] = []
        self._registry = context.registry
        self.constants: Scope = {
            "environment": environment,
            "project": context.project_name,
            "flow": {
                "name": f"{context.project_name}.{context.flow_name}",
                "description": "",
                "owner": context.project.owner,
            },
        }
        self._steps = {
            str(step.get("id")): step for step in reversed(items(self._keys.get("steps"))) if isinstance(step, dict)
        }
        self._inlining: set[Path] = set()
        self._inlined: dict[Path, Any] = {}
        self._characters = 0

    def all(self) -> dict[str, Any]:
        """Every key of the flow folded; those that others may use come first."""
        self.constants["vars"] = {}
        folded: dict[str, Any] = {}
        for key in sorted(self._keys, key=lambda key: _FIRST.index(key) if key in _FIRST else len(_FIRST)):
            folded[key] = self._fold(self._keys[key], (key,))
            self._learn(key, folded[key])
        if kept := keys_for_the_run(folded, self.inline):
            self.constants["steps"] = kept
        self.findings += keys_not_known(self._keys, self.inline)
        return {key: folded[key] for key in self._keys}

    def _learn(self, key: str, value: Any) -> None:
        """Make a folded key's value known to the expressions of those that follow."""
        if key == "vars":
            self.constants[key] = exact_value(value or {})
        elif key == "server":
            self.constants[key] = value
        elif key in _FIRST and value:
            self.constants["flow"][key] = str(value)

    def _fold(self, value: Any, route: Route) -> Any:
        """Fold leaf by leaf, so that a problem keeps its place."""
        if is_condition(route):
            return value  # it asks about the run, and stays one expression
        if isinstance(value, dict):
            return {key: self._fold(item, (*route, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self._fold(item, (*route, index)) for index, item in enumerate(value)]
        try:
            return self._counted(fold(value, self.constants, self.inline, self._escaper(route)))
        except ExpressionError as error:
            self.findings.append(Finding(route, "bad-expression", str(error)))
            return value

    def _escaper(self, route: Route) -> Escape | None:
        """What to apply to the values that are put in at a route: that of the step's type for this key."""
        if len(route) < 3 or route[0] not in GROUPS or not isinstance(route[1], int):
            return None
        step = items(self._keys[str(route[0])])[route[1]]
        step_type = self._registry.get(str(step.get("type"))) if isinstance(step, dict) else None
        return step_type.escaper(str(route[2]), step) if step_type else None

    def _counted(self, value: Any) -> Any:
        self._characters += len(value) if isinstance(value, Folded | Unrendered) else 0
        if self._characters > CHARACTERS_PUT_IN:
            raise ExpressionError(f"the expressions of this flow yield more than {CHARACTERS_PUT_IN:,} characters")
        return value

    def inline(self, path: Path) -> Any:
        """The value of `steps.<id>.<key>`, or of what lies below, where the key is one that the step's author wrote.

        Raises:
            ExpressionError: the key cannot be evaluated, or refers to itself.
        """
        step = self._steps.get(path[1]) if len(path) > 2 and path[0] == "steps" else None
        if step is None or path[2] not in own_keys(step, self._registry):
            return None
        key, below = path[:3], path[3:]
        if key not in self._inlined:
            self._inlined[key] = self._folded_once(key, step[key[2]])
        return reduce(_below, below, self._inlined[key])

    def _folded_once(self, path: Path, value: Any) -> Any:
        if path in self._inlining:
            raise ExpressionError(f"`{'.'.join(path)}` refers to itself")
        if len(self._inlining) == REFERENCES_IN_A_ROW:
            raise ExpressionError(f"more than {REFERENCES_IN_A_ROW} keys refer to each other in a row")
        self._inlining.add(path)
        try:
            return fold(value, self.constants, self.inline)
        finally:
            self._inlining.discard(path)


def _below(value: Any, word: str) -> Any:
    return value.get(word) if isinstance(value, dict) else None


def _split(raw: Mapping[str, Any], registry: Registry) -> dict[str, Any]:
    """The keys with every text of a step that stands for a list taken apart, before values are put in."""
    groups = {group: [_split_step(step, registry) for step in items(raw.get(group))] for group in GROUPS}
    return {key: groups[key] if key in groups and isinstance(value, list) else value for key, value in raw.items()}


def _split_step(step: Any, registry: Registry) -> Any:
    step_type = registry.get(str(step.get("type"))) if isinstance(step, dict) else None
    splits = step_type.split_fields if step_type else {}
    return (
        {**step, **{key: _taken_apart(step[key], split) for key, split in splits.items() if key in step}}
        if splits
        else step
    )


def _taken_apart(value: Any, split: Callable[[Any], Any]) -> Any:
    try:
        return split(value)
    except PydanticCustomError:
        return value  # the model says what is wrong with it


def items(value: Any) -> list[Any]:
    """The value where it is a list; nothing where it is something else, which is reported elsewhere."""
    return value if isinstance(value, list) else []
