"""The environment variables of a step: `env`, and every key of the secrets that `env_from` names."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from flowmill.expressions.language import ExpressionError
from flowmill.expressions.render import as_text
from flowmill.spec.values import env_name_problem
from flowmill_tasks.base import StepFailed


def environ(env: Mapping[str, Any], groups: Iterable[str], secrets: Mapping[str, Any]) -> dict[str, str]:
    """The variables, `env` over the secrets.

    Args:
        env: values by name, expressions evaluated.
        groups: names of secrets, or ways to a map inside one: `services.signs` is the key `signs` of `services`.

    Raises:
        StepFailed: a secret is not a map or lacks a key, two share one, or a key or value cannot be one of an
            environment; the message names keys, never a value.
    """
    found: dict[str, str] = {}
    origin: dict[str, str] = {}
    for group in groups:
        for key, value in _keys(group, secrets).items():
            if key in found:
                raise StepFailed(f"secrets `{origin[key]}` and `{group}` both have the key `{key}`", permanent=True)
            found[key], origin[key] = _of_secret(group, key, value), group
    return {**found, **{key: _of_env(key, value) for key, value in env.items()}}


def _keys(group: str, secrets: Mapping[str, Any]) -> Mapping[str, Any]:
    name, *way = group.split(".")
    value, walked = _opened(secrets[name]), name
    for part in way:
        if not isinstance(value, Mapping) or part not in value:
            raise StepFailed(f"secret `{walked}` has no key `{part}`, which `env_from` asks for", permanent=True)
        value, walked = _opened(value[part]), f"{walked}.{part}"
    if not isinstance(value, Mapping):
        raise StepFailed(f"secret `{group}` is one value, but `env_from` needs a map of keys", permanent=True)
    for key in value:
        if problem := env_name_problem(str(key)):
            raise StepFailed(f"secret `{group}`: {problem}", permanent=True)
    return value


def _opened(value: Any) -> Any:
    """A text that holds JSON as what it holds: many stores keep nothing but texts."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _of_secret(group: str, key: str, value: Any) -> str:
    """Numbers, booleans and nested values as JSON spells them, never as Python does."""
    if value is None:
        raise StepFailed(f"key `{key}` of secret `{group}` is null; give it a text or remove it", permanent=True)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return _without_nul(text, f"key `{key}` of secret `{group}`")


def _of_env(key: str, value: Any) -> str:
    try:
        return _without_nul(as_text(value), f"`env.{key}`")
    except ExpressionError:
        raise StepFailed(f"`env.{key}` has no value (null)", permanent=True) from None


def _without_nul(text: str, what: str) -> str:
    if "\0" in text:
        raise StepFailed(f"{what} holds a NUL character", permanent=True)
    return text
