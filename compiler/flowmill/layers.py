"""Which value wins: workspace < environment < project < flow < the flow's override for an environment < step.

Maps merge key by key, everything else replaces what was there. Layers are merged as trees, so every value
keeps the place in the file that set it.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import yaml

from flowmill.diagnostics import Finding, Route
from flowmill.reading.tree import Tree
from flowmill.spec import HANDLERS
from flowmill.suggest import did_you_mean

EVERY_STEP = "all"
"""The key of `defaults` that holds keys for steps of any type."""

_IDENTITY = frozenset({"project", "environment"})
"""Keys that say which flow it is, and so cannot be overridden."""


@dataclass(frozen=True)
class Override:
    """One environment of a flow, and the keys that differ there (None where nothing does)."""

    environment: str
    tree: Tree | None


def flow_layer(defaults: Tree | None, step_types: Collection[str]) -> Tree | None:
    """A `defaults` map of the workspace, an environment or a project as if its keys stood in the flow.

    Its keys for steps (`all`, `docker`, …) become the flow's `defaults`.
    """
    if defaults is None:
        return None
    for_steps = [key for key in defaults.plain() if key == EVERY_STEP or key in step_types]
    keys = defaults.without(*for_steps)
    return keys.overlay(_nested("defaults", defaults.only(*for_steps))) if for_steps else keys


def stack(layers: Iterable[Tree | None]) -> Tree:
    """One tree of all layers, the later over the earlier."""
    present = [layer for layer in layers if layer is not None]
    merged = present[0]
    for layer in present[1:]:
        merged = merged.overlay(layer)
    return merged


def overrides(tree: Tree, known: Collection[str]) -> tuple[list[Override], list[Finding]]:
    """The environments that a flow names, and what is wrong with naming them."""
    plain = tree.plain()
    value = plain.get("environment")
    names = [value] if isinstance(value, str) else list(value) if isinstance(value, list | dict) else []
    found, findings = [], list(_unusable_overrides(value))
    if "environment" in plain and not names:
        message = "expected at least one environment"
        findings.append(Finding(("environment",), "bad-value", message, f"there are: {', '.join(known)}"))
    for index, name in enumerate(names):
        route = ("environment", name if isinstance(value, dict) else index) if value != name else ("environment",)
        if not isinstance(name, str) or name not in known:
            findings.append(_unknown_environment(route, name, known, isinstance(value, dict)))
        else:
            found.append(Override(name, tree.subtree(("environment", name)) if isinstance(value, dict) else None))
    return found, findings


def _unusable_overrides(value: Any) -> Iterator[Finding]:
    """What is wrong with the keys that differ in an environment, besides what is wrong with any key of a flow."""
    for name, keys in value.items() if isinstance(value, dict) else ():
        route: Route = ("environment", name)
        if keys is not None and not isinstance(keys, dict):
            yield Finding(route, "wrong-type", f"expected a map of the keys that differ in `{name}`")
        for key in _IDENTITY & set(keys if isinstance(keys, dict) else ()):
            message = f"`{key}` cannot differ between environments"
            yield Finding((*route, key), "unknown-key", message, "remove it", at_key=True)


def _unknown_environment(route: Any, name: Any, known: Collection[str], at_key: bool) -> Finding:
    if not isinstance(name, str):
        return Finding(route, "wrong-type", "expected the name of an environment", at_key=at_key)
    message = f"there is no environment `{name}`"
    return Finding(route, "unknown-environment", message, did_you_mean(name, known), at_key=at_key)


def with_step_defaults(tree: Tree) -> Tree:
    """The tree with `defaults` laid under every step and handler, by type."""
    defaults = tree.subtree(("defaults",))
    if defaults is None or not isinstance(defaults.root, yaml.MappingNode):
        return tree
    for key in ("steps", *HANDLERS):
        node = tree.at((key,))
        if isinstance(node, yaml.SequenceNode):
            steps = [_with_defaults(item, index, key, tree, defaults) for index, item in enumerate(node.value)]
            tree = _replacing(tree, key, yaml.SequenceNode(node.tag, steps, node.start_mark, node.end_mark))
    return tree


def _replacing(tree: Tree, key: str, value: yaml.Node) -> Tree:
    pairs = [(name, value if name.value == key else old) for name, old in tree.root.value]
    return replace(tree, root=_map_like(tree.root, pairs))


def standing_at(tree: Tree, place: Tree) -> Tree:
    """The tree as if its map as a whole stood where `place` does: what is missing is missing there."""
    return replace(tree, root=_map_like(place.root, tree.root.value))


def _map_like(node: yaml.MappingNode, pairs: list[tuple[yaml.Node, yaml.Node]]) -> yaml.MappingNode:
    return yaml.MappingNode(node.tag, pairs, node.start_mark, node.end_mark, node.flow_style)


def _with_defaults(item: yaml.Node, index: int, key: str, tree: Tree, defaults: Tree) -> yaml.Node:
    step = tree.subtree((key, index))
    if step is None:
        return item
    step_type = step.plain().get("type")
    layers = [defaults.subtree((EVERY_STEP,)), defaults.subtree((str(step_type),)), step]
    return standing_at(stack(layers), step).root


def unknown_defaults(tree: Tree, step_types: Collection[str]) -> Iterator[Finding]:
    """Keys of `defaults` that are neither `all` nor a step type."""
    value = tree.plain().get("defaults")
    if value is not None and not isinstance(value, dict):
        yield Finding(("defaults",), "wrong-type", "expected a map from step types to keys")
        return
    for key, keys in (value or {}).items():
        if key != EVERY_STEP and key not in step_types:
            hint = did_you_mean(key, [EVERY_STEP, *step_types])
            yield Finding(("defaults", key), "unknown-key", f"there is no step type `{key}`", hint, at_key=True)
        elif not isinstance(keys, dict):
            yield Finding(("defaults", key), "wrong-type", "expected a map of keys of a step")


def _nested(key: str, tree: Tree) -> Tree:
    """A tree with one key whose value is `tree`."""
    start, end = tree.root.start_mark, tree.root.end_mark
    scalar = yaml.ScalarNode(tree.root.tag, key, start, start, style="")
    return Tree(yaml.MappingNode(tree.root.tag, [(scalar, tree.root)], start, end), tree.sources)
