"""The environment variables of a step: `env`, and every key of the secrets that `env_from` names."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from flowmill.spec import env_name_problem
from flowmill_tasks.base import StepFailed


def environ(env: Mapping[str, Any], groups: Iterable[str], secrets: Mapping[str, Any]) -> dict[str, str]:
    """The variables, `env` over the secrets.

    Raises:
        StepFailed: a secret is not a map, two secrets share a key, or a key or value cannot be one of an
            environment; the message names the key, never the value.
    """
    found: dict[str, str] = {}
    origin: dict[str, str] = {}
    for group in groups:
        for key, value in _keys(group, secrets[group]).items():
            if key in found:
                raise StepFailed(f"secrets `{origin[key]}` and `{group}` both have the key `{key}`", permanent=True)
            found[key], origin[key] = _as_text(group, key, value), group
    return {**found, **{key: str(value) for key, value in env.items()}}


def _keys(group: str, value: Any) -> Mapping[str, Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            value = None
    if not isinstance(value, Mapping):
        raise StepFailed(f"secret `{group}` is one value, but `env_from` needs a map of keys", permanent=True)
    for key in value:
        if problem := env_name_problem(str(key)):
            raise StepFailed(f"secret `{group}`: {problem}", permanent=True)
    return value


def _as_text(group: str, key: str, value: Any) -> str:
    """Numbers, booleans and nested values as JSON spells them, never as Python does."""
    if value is None:
        raise StepFailed(f"key `{key}` of secret `{group}` is null; give it a text or remove it", permanent=True)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    if "\0" in text:
        raise StepFailed(f"key `{key}` of secret `{group}` holds a NUL character", permanent=True)
    return text
