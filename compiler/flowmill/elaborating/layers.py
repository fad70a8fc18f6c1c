"""Which value wins: the layers of a flow, weakest first, and what they come to.

Maps merge key by key, everything else replaces what was there. Layers are merged as trees, so every value
keeps the place in the file that set it; which layer set it is looked up in the layers themselves.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import yaml

from flowmill.corrections import corrected
from flowmill.diagnostics import Finding, Route, Span
from flowmill.reading.nodes import plain
from flowmill.reading.tree import Tree
from flowmill.spec.flow import GROUPS, OF_ELEMENTS, keys_out_of_place
from flowmill.suggest import did_you_mean

EVERY_STEP = "all"
"""The key of `defaults` that holds keys for steps of any type."""

_IDENTITY = frozenset({"project", "environment", "extends"})
"""Keys that say which flow it is, and so cannot be overridden."""


@dataclass(frozen=True)
class Owner:
    """Whose keys a layer holds; layers of two versions are the same layer if their owners are.

    Attributes:
        source: the part of the workspace that they are written in.
        template: the name of the template, where it is one.
        is_defaults: whether they stand in `defaults`, for others.
        override: the environment that they are for, where they stand in `environment.<name>`.
        of_steps: the steps that they are defaults for: `all`, or a step type; empty where they are no such defaults.
    """

    source: Literal["workspace", "environment", "project", "template", "flow"]
    template: str = ""
    is_defaults: bool = False
    override: str = ""
    of_steps: str = ""

    @property
    def name(self) -> str:
        """The owner in words that fit behind "set by"."""
        words = f"template `{self.template}`" if self.template else f"the {self.source}"
        words = f"{words}'s override for `{self.override}`" if self.override else words
        if self.of_steps:
            which = "every step" if self.of_steps == EVERY_STEP else f"{self.of_steps} steps"
            return f"defaults for {which} of {words}"
        return f"{words}'s defaults" if self.is_defaults and not self.override else words


@dataclass(frozen=True)
class Layer:
    """One place that sets keys of a flow, or of a step.

    Attributes:
        owner: whose keys they are.
        tree: the keys, as if they stood in the flow or in the step.
    """

    owner: Owner
    tree: Tree

    @property
    def name(self) -> str:
        """The layer in words that fit behind "set by"."""
        return self.owner.name


@dataclass(frozen=True)
class Setting:
    """One value that a layer gives to a route."""

    layer: Layer
    route: Route

    @property
    def value(self) -> Any:
        """The value as it was written there."""
        node = self.layer.tree.at(self.route)
        return None if node is None else plain(node)

    @property
    def span(self) -> Span:
        """Where it was written."""
        return self.layer.tree.span(self.route)


@dataclass(frozen=True)
class Layers:
    """The layers of a flow in one environment, or of one of its steps.

    Attributes:
        items: the layers, weakest first.
        place: where the whole stands: what is missing is missing there.
    """

    items: tuple[Layer, ...]
    place: Tree

    @cached_property
    def merged(self) -> Tree:
        """One tree of all layers, the later over the earlier; the `defaults` for steps are not yet applied."""
        return standing_at(stack(layer.tree for layer in self.items), self.place)

    @cached_property
    def complete(self) -> Tree:
        """One tree of all layers, with `defaults` laid under every step and handler, by type."""
        tree = self.merged
        for group in GROUPS:
            node = tree.at((group,))
            if isinstance(node, yaml.SequenceNode):
                items = [self._complete_step(group, index, item) for index, item in enumerate(node.value)]
                tree = _replacing(tree, group, yaml.SequenceNode(node.tag, items, node.start_mark, node.end_mark))
        return tree

    def _complete_step(self, group: str, index: int, written: yaml.Node) -> yaml.Node:
        layers = self.of_step(group, index)
        return layers.merged.root if layers else written

    def of_step(self, group: str, index: int) -> "Layers | None":
        """The layers of one step: `defaults` for all steps, those for its type, its own keys; None if it is no map."""
        step = self.merged.subtree((group, index))
        if step is None:
            return None
        type_node = step.at(("type",))
        word = type_node.value if isinstance(type_node, yaml.ScalarNode) else ""
        defaults = (*self._for_steps.get(EVERY_STEP, ()), *self._for_steps.get(word, ()))
        own = {key for tree in (step, *(layer.tree for layer in defaults)) for key in tree.plain()}
        left_out = _meaningless(group, own)
        below = [replace(layer, tree=layer.tree.without(*left_out)) for layer in defaults]
        return Layers((*below, replace(self.settings((group,))[0].layer, tree=step)), step)

    @cached_property
    def _for_steps(self) -> dict[str, tuple[Layer, ...]]:
        """The layers of `defaults` for steps, by their keys: `all`, or a step type."""
        defaults = self.merged.subtree(("defaults",))
        return {key: tuple(self._defaults_for(key)) for key in (defaults.plain() if defaults else ())}

    def _defaults_for(self, key: str) -> Iterator[Layer]:
        for layer in self.under(("defaults", key)):
            yield replace(layer, owner=replace(layer.owner, of_steps=key))

    def under(self, route: Route) -> list[Layer]:
        """The maps that the layers have at a route: merged, they are what the merged tree has there."""
        found: list[Layer] = []
        for layer in self.items:
            tree = layer.tree.subtree(route)
            if tree is not None:
                found.append(replace(layer, tree=tree))
            elif layer.tree.at(route) is not None or layer.tree.replaces(route):
                found.clear()
        return found

    def settings(self, route: Route) -> list[Setting]:
        """Who gives a value to a route, the winner first; empty where the merged tree has none.

        An item of a list has no rivals: the whole list has replaced the others.
        """
        found: list[Setting] = []
        for layer in reversed(self.items):
            if layer.tree.at(route) is not None:
                found.append(Setting(layer, route))
            elif not found and layer.tree.replaces(route):
                break
        return found[:1] if any(isinstance(step, int) for step in route) else found


def _meaningless(group: str, keys: Collection[str]) -> tuple[str, ...]:
    """What defaults for all steps do not give to this one: nobody wrote it there, so it cannot be a mistake."""
    return (*keys_out_of_place(group), *(() if {"foreach", "matrix"} & set(keys) else OF_ELEMENTS))


def flow_keys(defaults: Tree | None, step_types: Collection[str]) -> Tree | None:
    """A `defaults` map of the workspace, an environment or a project as if its keys stood in the flow.

    Its keys for steps (`all`, `docker`, …) become the flow's `defaults`.
    """
    if defaults is None:
        return None
    for_steps = [key for key in defaults.plain() if key == EVERY_STEP or key in step_types]
    keys = defaults.without(*for_steps)
    return keys.overlay(_nested("defaults", defaults.only(*for_steps))) if for_steps else keys


def stack(trees: Iterable[Tree]) -> Tree:
    """One tree of all of them, the later over the earlier.

    Raises:
        StopIteration: there is none.
    """
    remaining = iter(trees)
    merged = next(remaining)
    for tree in remaining:
        merged = merged.overlay(tree)
    return merged


def environments_of(tree: Tree, known: Collection[str]) -> tuple[list[str], list[Finding]]:
    """The environments that a flow names, and what is wrong with naming them."""
    keys = tree.plain()
    value = keys.get("environment")
    names = [value] if isinstance(value, str) else list(value) if isinstance(value, list | dict) else []
    found, findings = [], list(_unusable_overrides(value))
    if "environment" in keys and not names:
        message = "expected at least one environment"
        findings.append(Finding(("environment",), "bad-value", message, f"there are: {', '.join(known)}"))
    for index, name in enumerate(names):
        route = ("environment", name if isinstance(value, dict) else index) if value != name else ("environment",)
        if not isinstance(name, str) or name not in known:
            findings.append(_unknown_environment(route, name, known, isinstance(value, dict)))
        else:
            found.append(name)
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
    fix = corrected(route, name, known, at_key=at_key)
    return Finding(route, "unknown-environment", message, did_you_mean(name, known), at_key=at_key, fix=fix)


def _replacing(tree: Tree, key: str, value: yaml.Node) -> Tree:
    pairs = [(name, value if name.value == key else old) for name, old in tree.root.value]
    return replace(tree, root=_map_like(tree.root, pairs))


def standing_at(tree: Tree, place: Tree) -> Tree:
    """The tree as if its map as a whole stood where `place` does: what is missing is missing there."""
    return replace(tree, root=_map_like(place.root, tree.root.value))


def _map_like(node: yaml.MappingNode, pairs: list[tuple[yaml.Node, yaml.Node]]) -> yaml.MappingNode:
    return yaml.MappingNode(node.tag, pairs, node.start_mark, node.end_mark, node.flow_style)


def unknown_defaults(tree: Tree, step_types: Collection[str]) -> Iterator[Finding]:
    """Keys of `defaults` that are neither `all` nor a step type."""
    value = tree.plain().get("defaults")
    if value is not None and not isinstance(value, dict):
        yield Finding(("defaults",), "wrong-type", "expected a map from step types to keys")
        return
    for key, keys in (value or {}).items():
        if key != EVERY_STEP and key not in step_types:
            known, place = [EVERY_STEP, *step_types], ("defaults", key)
            message, hint = f"there is no step type `{key}`", did_you_mean(key, known)
            fix = corrected(place, key, known, at_key=True)
            yield Finding(place, "unknown-key", message, hint, at_key=True, fix=fix)
        elif not isinstance(keys, dict):
            yield Finding(("defaults", key), "wrong-type", "expected a map of keys of a step")


def _nested(key: str, tree: Tree) -> Tree:
    """A tree with one key whose value is `tree`."""
    start, end = tree.root.start_mark, tree.root.end_mark
    scalar = yaml.ScalarNode(tree.root.tag, key, start, start, style="")
    return Tree(yaml.MappingNode(tree.root.tag, [(scalar, tree.root)], start, end), tree.sources)
