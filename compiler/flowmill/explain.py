"""Every effective value of a flow in one environment, with the place that set it and what it won against.

Where a value comes from is looked up in the layers that the flow is merged from, so nothing is merged twice and
a new key is explained without being named here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from flowmill.diagnostics import Route
from flowmill.elaborating.folding import Folding
from flowmill.elaborating.inheritance import flow_layers, own_keys
from flowmill.elaborating.layers import Layers, Setting
from flowmill.pipeline import context_of
from flowmill.secrets.masking import Masking
from flowmill.spec.fields_of_keys import model_in, unset, within
from flowmill.spec.flow import GROUPS, STEP_KEYS, FlowSpec, StepKeys, keys_out_of_place
from flowmill.workspace import Files, FlowFile
from flowmill_tasks.base import Step
from flowmill_tasks.registry import Registry

_APART = frozenset({*GROUPS, "defaults", "environment"})
"""Keys of a flow that are not explained as such: steps one by one, their defaults where they come to stand."""
_JOINED = ("env", "env_from")
"""What a step has of the flow besides its own."""


@dataclass(frozen=True)
class Fact:
    """One value.

    Attributes:
        key: as people write it: `steps.load.timeout`.
        route: where the value stands once the layers are merged; a step is a number there.
        value: what it comes to, with everything put in that is known before the run.
        settings: who sets it, the winner first; empty where nobody does.
        model: the field that describes the key, where there is one.
        masking: what may not be shown of the values.
    """

    key: str
    route: Route
    value: Any
    settings: tuple[Setting, ...]
    model: FieldInfo | None = None
    masking: Masking = field(default_factory=lambda: Masking({}))

    @property
    def numbered(self) -> str:
        """The key with the number of a step, from 0, in place of its id."""
        return ".".join(map(str, self.route))

    @property
    def written(self) -> Any:
        """What stands in the file that set it."""
        return self.settings[0].value if self.settings else None

    @property
    def shown(self) -> Any:
        """The value as it may be shown: what may be a credential is stars."""
        return self.masking.became(self.value, self.written, self.route)

    def shown_of(self, setting: Setting) -> Any:
        """The value of one setting as it may be shown."""
        return self.masking.shown(setting.value, self.route)


def facts(flow: FlowFile, files: Files, registry: Registry, environment: str) -> list[Fact]:
    """All values of a flow, those that nobody has set last of their map; the flow must be right."""
    layers = flow_layers(flow, files, registry, environment)
    context = context_of(flow, files, registry, own_keys(layers))
    written = layers.complete.plain()
    folded, masking = Folding(written, environment, context).all(), Masking(written)
    return [replace(it, masking=masking) for it in (*_of_flow(layers, folded), *_of_steps(layers, folded, registry))]


def _of_flow(layers: Layers, folded: Mapping[str, Any]) -> Iterator[Fact]:
    merged = layers.merged.plain()
    for key, value in merged.items():
        if key not in _APART:
            yield from _Part(layers, folded, FlowSpec).leaves((key,), value)
    yield from _unset(FlowSpec, merged, "", (), _APART)


def _of_steps(layers: Layers, folded: Mapping[str, Any], registry: Registry) -> Iterator[Fact]:
    for group in GROUPS:
        for index, keys in enumerate(folded.get(group) or []):
            step = layers.of_step(group, index)
            if step is not None and isinstance(keys, dict):
                name = str(keys.get("id") or f"{group}_{index + 1}")
                part = _Part(step, keys, StepKeys, f"{group}.{name}.", (group, index))
                yield from _of_step(part, registry.get(str(keys.get("type"))), _Part(layers, folded, FlowSpec))


def _of_step(step: "_Part", step_type: type[Step] | None, flow: "_Part") -> Iterator[Fact]:
    merged = step.layers.merged.plain()
    takes_environment = step_type is not None and step_type.takes_environment
    for key, value in merged.items():
        if key not in _JOINED or not takes_environment:
            part = step if key in STEP_KEYS or step_type is None else replace(step, model=step_type)
            yield from part.leaves((key,), value)
    if takes_environment:
        yield from _environment(step, flow)
    apart = frozenset({*_JOINED, *keys_out_of_place(str(step.base[0]))})
    for known in (StepKeys, step_type):
        if known is not None:
            yield from _unset(known, {**merged, "id": None}, step.prefix, step.base, apart)


def _environment(step: "_Part", flow: "_Part") -> Iterator[Fact]:
    """The variables of a step: its own lie over those of the flow, and its secrets are added to the flow's."""
    values = {**(flow.folded.get("env") or {}), **(step.folded.get("env") or {})}
    for name, value in values.items():
        yield Fact(f"{step.prefix}env.{name}", (*step.base, "env", name), value, _both(step, flow, ("env", name)))
    groups = [*_names(flow.folded.get("env_from")), *_names(step.folded.get("env_from"))]
    settings, field = _both(step, flow, ("env_from",)), StepKeys.model_fields["env_from"]
    yield Fact(f"{step.prefix}env_from", (*step.base, "env_from"), list(dict.fromkeys(groups)), settings, field)


def _both(step: "_Part", flow: "_Part", route: Route) -> tuple[Setting, ...]:
    return (*step.layers.settings(route), *flow.layers.settings(route))


def _names(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value] if value else []


@dataclass(frozen=True)
class _Part:
    """The flow, or one step of it: its layers, what they come to, and how its keys are called."""

    layers: Layers
    folded: Mapping[str, Any]
    model: type[BaseModel]
    prefix: str = ""
    base: Route = ()

    def leaves(self, route: Route, value: Any, above: Any = None) -> Iterator[Fact]:
        """A fact for every value that is no map and no list of maps, which are gone into; `above` is their type."""
        kind, field = within(above or self.model, route[-1])
        key = self.prefix + ".".join(map(str, route))
        inside = value.items() if isinstance(value, dict) else enumerate(value) if _is_list_of_maps(value) else ()
        for step, item in inside:
            yield from self.leaves((*route, step), item, kind or Any)
        if not inside:
            settings = tuple(self.layers.settings(route))
            yield Fact(key, (*self.base, *route), _at(self.folded, route, value), settings, field)
        elif isinstance(value, dict) and (model := model_in(kind)):
            yield from _unset(model, value, f"{key}.", (*self.base, *route), frozenset())


def _is_list_of_maps(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(item, dict) for item in value)


def _at(folded: Any, route: Route, otherwise: Any) -> Any:
    """What was made of the value at a route; the value itself where an expression stands above it."""
    try:
        return reduce(lambda value, step: value[step], route, folded)
    except (LookupError, TypeError):
        return otherwise


def _unset(
    model: type[BaseModel], merged: Mapping[str, Any], prefix: str, base: Route, apart: frozenset[str]
) -> Iterator[Fact]:
    """The keys that a model has and nobody sets, with their defaults."""
    for key, info in unset(model, merged):
        if key not in apart:
            yield Fact(prefix + key, (*base, key), info.get_default(call_default_factory=True), (), info)
