"""What the JSON Schemas say of a place in a document: the keys that may stand there, and what each is for."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from flowmill.diagnostics import Route
from flowmill_tasks.registry import discover

Schema = Mapping[str, Any]


@cache
def schema_of(kind: str) -> Schema:
    """The schema of a kind of document: `flow`, `project`, `workspace` or `test`."""
    from flowmill.schema import schemas

    made: Schema = json.loads(schemas(discover())[f"{kind}.schema.json"])
    return made


def keys_at(kind: str, route: Route, siblings: Mapping[str, str]) -> dict[str, Schema]:
    """The keys that the map at a route may have, each with its schema.

    Args:
        siblings: what the map has already; the `type` of a step decides about its other keys.
    """
    root = schema_of(kind)
    found: dict[str, Schema] = {}
    for schema in _at(root, root, route, siblings):
        found |= {key: _one(root, it) for key, it in schema.get("properties", {}).items()}
    return found


def described_at(kind: str, route: Route, types: Mapping[Route, str]) -> str:
    """What the key at the end of a route is for; empty where nobody says.

    Args:
        types: the types of steps by their routes.
    """
    siblings = {"type": types.get(route[:2], "")}
    if not route or not isinstance(route[-1], str):
        return ""
    return str(keys_at(kind, route[:-1], siblings).get(route[-1], {}).get("description", ""))


def choices(schema: Schema) -> list[str]:
    """The values that a key's schema lists."""
    found = [*map(str, schema.get("enum", []))]
    for arm in schema.get("anyOf", []):
        found += choices(arm)
    return found + (["true", "false"] if schema.get("type") == "boolean" else [])


def _at(root: Schema, schema: Schema, route: Route, siblings: Mapping[str, str]) -> Iterator[Schema]:
    """Every schema that holds for the value at a route: each arm of a choice counts, that of another type does not."""
    for one in _arms(root, schema, siblings):
        if not route:
            yield one
        elif isinstance(route[0], int):
            yield from _at(root, one.get("items", {}), route[1:], siblings)
        else:
            properties = one.get("properties", {})
            inner = properties.get(route[0], one.get("additionalProperties"))
            if isinstance(inner, Mapping):
                yield from _at(root, inner, route[1:], siblings)


def _arms(root: Schema, schema: Schema, siblings: Mapping[str, str]) -> Iterator[Schema]:
    schema = _resolved(root, schema)
    yield schema
    for arm in schema.get("anyOf", []):
        yield from _arms(root, arm, siblings)
    for rule in schema.get("allOf", []):
        wanted = rule.get("if", {}).get("properties", {}).get("type", {}).get("const")
        if wanted is not None and wanted == siblings.get("type", "").strip("\"'"):
            yield from _arms(root, rule["then"], siblings)


def _one(root: Schema, schema: Schema) -> Schema:
    """A schema with what its references say."""
    resolved = dict(_resolved(root, schema))
    resolved["anyOf"] = [_one(root, arm) for arm in resolved.get("anyOf", [])]
    return resolved


def _resolved(root: Schema, schema: Schema) -> Schema:
    while "$ref" in schema:
        target: Any = root
        for word in schema["$ref"].removeprefix("#/").split("/"):
            target = target[word]
        schema = {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
    return schema
