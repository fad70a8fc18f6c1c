"""What flows need of each secret, and what a stored one lacks of that. No message holds a value."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from flowmill.planning.plan import Plan
from flowmill.running.environ import environ
from flowmill.secrets.names import Use, secret_uses
from flowmill.spec.fields_of_keys import field_of, model_in
from flowmill_tasks.base import StepFailed
from flowmill_tasks.registry import Registry


@dataclass(frozen=True)
class Need:
    """A secret that flows ask for.

    Attributes:
        name: None stands for all whose names are only known in the run.
        uses: the flow and the use, each once, in the order of the plans.
        registry: the step types, which say of a key whether it wants a map.
    """

    name: str | None
    uses: tuple[tuple[str, Use], ...]
    registry: Registry

    @property
    def keys(self) -> list[str]:
        """The keys that are asked for, `*` for every one; of a secret that is only used as a whole there are none."""
        names = [".".join((*use.way, "*") if use.as_variables else use.way) for _, use in self.uses]
        return sorted({name for name in names if name})

    @property
    def used_by(self) -> dict[str, list[str]]:
        """The ids of the steps that ask for it, by the names of their flows; a flow's own keys are no step."""
        found: dict[str, dict[str, None]] = {}
        for flow, use in self.uses:
            found.setdefault(flow, {}).update({use.step: None} if use.step else {})
        return {flow: list(steps) for flow, steps in found.items()}


def needs(plans: Iterable[Plan], registry: Registry) -> list[Need]:
    """What the flows need, by name; what is only known in the run comes last."""
    found: dict[str | None, dict[tuple[str, Use], None]] = {}
    for plan in plans:
        for use in secret_uses(plan):
            # A way that is only known in the run cannot be told from a secret that is used as a whole.
            found.setdefault(use.name, {})[plan.name, use] = None
    order = sorted(found, key=lambda name: (name is None, name or ""))
    return [Need(name, tuple(found[name]), registry) for name in order]


def lacks(need: Need, value: Any) -> list[str]:
    """What a stored secret lacks for its uses, in a user's words."""
    found: dict[str, None] = {}
    for _, use in need.uses:
        if problem := _as_variables(use, value) if use.as_variables else _on_the_way(use.way, value):
            found[problem] = None
        elif use.whole_of and (model := _model_of(use, need.registry)):
            found |= dict.fromkeys(_as_model(use.whole_of[1], model, _at(use.way, value)))
    return list(found)


def _model_of(use: Use, registry: Registry) -> type[BaseModel] | None:
    """What a map has to be like that becomes the whole value of a step's key; None where the key takes no map."""
    word, key = use.whole_of or ("", "")
    field = field_of(registry[word], key) if word in registry else None
    return model_in(field.annotation) if field else None


def _as_model(key: str, model: type[BaseModel], value: Any) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"it is one value, but `{key}` needs a map of keys"
        return
    try:
        model.model_validate(dict(value))
    except ValidationError as wrong:
        # Values are judged by the run; here only names are looked at, for some values are stars.
        for problem in wrong.errors(include_input=False, include_context=False, include_url=False):
            if problem["type"] == "missing":
                yield f"it has no key `{'.'.join(map(str, problem['loc']))}`, which `{key}` needs"


def _at(way: tuple[str, ...], value: Any) -> Any:
    """What lies at the end of a way that there is; JSON as what it holds."""
    for key in way:
        value = _keys(value)[key]
    return _keys(value)


def _as_variables(use: Use, value: Any) -> str:
    name = str(use.name)
    try:
        environ({}, [".".join((name, *use.way))], {name: value})
    except StepFailed as failed:
        return str(failed)
    return ""


def _on_the_way(way: tuple[str, ...], value: Any) -> str:
    for length, key in enumerate(way, start=1):
        value, walked = _keys(value) if length == 1 else value, ".".join(way[:length])
        if not isinstance(value, Mapping):
            return f"it is one value, not a map with the key `{key}`" if length == 1 else f"it has no key `{walked}`"
        if value.get(key) is None:
            return f"its key `{walked}` is null" if key in value else f"it has no key `{walked}`"
        value = value[key]
    return ""


def _keys(value: Any) -> Any:
    """A text that holds the JSON of a map as that map."""
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def opened(found: Iterable[Need]) -> Iterator[str]:
    """The names of the secrets whose keys have to be known."""
    return (need.name for need in found if need.name is not None and _has_to_be_known(need))


def _has_to_be_known(need: Need) -> bool:
    return bool(need.keys) or any(_model_of(use, need.registry) for _, use in need.uses)
