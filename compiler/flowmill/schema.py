"""JSON Schemas for editors, generated from the same models that validate.

A schema cannot know what this language allows everywhere: an expression instead of a value, a bare number
where text is wanted, one text instead of a list of them. Those are added here, in one pass.
"""

import json
from collections.abc import Callable
from typing import Any

from pydantic import create_model

from flowmill.spec import HANDLERS, FlowSpec, Project, StepKeys, Workspace
from flowmill_tasks.base import Step
from flowmill_tasks.registry import Registry

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_EXPRESSION = {"type": "string", "pattern": r"\$\{\{"}

Schema = dict[str, Any]


def schemas(registry: Registry) -> dict[str, str]:
    """The text of every schema file, by file name."""
    made = {
        "flow.schema.json": flow_schema(registry),
        "project.schema.json": _with_defaults(_of(Project), registry, "A project of flowmill"),
        "workspace.schema.json": _workspace_schema(registry),
    }
    return {name: json.dumps(schema, indent=2, ensure_ascii=False) + "\n" for name, schema in made.items()}


def flow_schema(registry: Registry) -> Schema:
    """The schema of a flow's spec, its steps by type included."""
    schema = _of(FlowSpec)
    definitions = schema.setdefault("$defs", {})
    definitions |= _definitions(registry)
    properties = schema["properties"]
    properties["steps"]["items"] = {"$ref": "#/$defs/step"}
    for name in HANDLERS:
        properties[name]["items"] = {"$ref": "#/$defs/handler"}
    properties["defaults"] = {**_described(properties["defaults"]), "$ref": "#/$defs/defaults"}
    overridable = {key: value for key, value in properties.items() if key not in ("project", "environment")}
    definitions["override"] = {
        "type": ["object", "null"],
        "properties": overridable,
        "additionalProperties": False,
    }
    properties["environment"] = {**_described(properties["environment"]), **_ENVIRONMENT}
    return _titled(schema, "A flow of flowmill")


_ENVIRONMENT: Schema = {
    "anyOf": [
        {"type": "string"},
        {"type": "array", "items": {"type": "string"}, "minItems": 1},
        {"type": "object", "additionalProperties": {"$ref": "#/$defs/override"}, "minProperties": 1},
    ]
}


def _workspace_schema(registry: Registry) -> Schema:
    schema = _with_defaults(_of(Workspace), registry, "A workspace of flowmill")
    schema["$defs"]["Environment"]["properties"]["defaults"] = schema["properties"]["defaults"]
    return schema


def _with_defaults(schema: Schema, registry: Registry, title: str) -> Schema:
    """A document whose `defaults` may hold any key of a flow, and keys for steps."""
    flow = flow_schema(registry)
    definitions = {**flow["$defs"], **schema.get("$defs", {})}
    overridable = definitions["override"]["properties"]
    steps = definitions["defaults"]["properties"]
    environment = {"environment": flow["properties"]["environment"]}
    properties = {
        **{key: overridable[key] for key in overridable if key != "defaults"},
        **environment,
        **steps,
    }
    schema["$defs"] = definitions
    described = _described(schema["properties"]["defaults"])
    schema["properties"]["defaults"] = {
        **described,
        "type": ["object", "null"],
        "properties": properties,
        "additionalProperties": False,
    }
    return _titled(schema, title)


def _definitions(registry: Registry) -> dict[str, Schema]:
    """The steps, the handlers and the defaults for steps, each by type."""
    made: dict[str, Schema] = {}
    by_type = {word: _step_schema(word, step_type, made) for word, step_type in registry.items()}
    made["step"] = {"type": "object", "required": ["id", "type"], **_by_type(by_type, required=True)}
    handlers = {word: _without(schema, "needs", "continue_on_error") for word, schema in by_type.items()}
    made["handler"] = {"type": "object", "required": ["type"], **_by_type(handlers, required=True)}
    every = _tolerant(_without(_of(StepKeys), "id", "type"))
    partial = {word: _without(schema, "id", "type") for word, schema in by_type.items()}
    keys = {"all": every, **partial}
    properties = {word: {**schema, "required": []} for word, schema in keys.items()}
    made["defaults"] = {"type": ["object", "null"], "properties": properties, "additionalProperties": False}
    return made


def _by_type(schemas_by_type: dict[str, Schema], *, required: bool) -> Schema:
    """`type` decides which keys there are: editors then complete those of the type that was written."""
    return {
        "properties": {"type": {"enum": list(schemas_by_type), "description": "the step type"}},
        "allOf": [
            {
                "if": {"properties": {"type": {"const": word}}, "required": ["type"]},
                "then": _optional_id(schema),
            }
            for word, schema in schemas_by_type.items()
        ],
    }


def _optional_id(schema: Schema) -> Schema:
    """Keys that a project's defaults may supply are not required of the spec itself; `id` and `type` are elsewhere."""
    return {**schema, "required": []}


def _step_schema(word: str, step_type: type[Step], definitions: dict[str, Schema]) -> Schema:
    model = create_model(f"{word}_step", __base__=(step_type, StepKeys))
    schema = _of(model)
    definitions |= schema.pop("$defs", {})
    schema["properties"]["type"] = {"const": word, "description": step_type.summary}
    return {**schema, "description": step_type.summary}


def _of(model: Any) -> Schema:
    schema: Schema = model.model_json_schema(by_alias=True)
    return _tolerant(schema)


def _without(schema: Schema, *keys: str) -> Schema:
    properties = {key: value for key, value in schema["properties"].items() if key not in keys}
    required = [key for key in schema.get("required", []) if key not in keys]
    return {**schema, "properties": properties, "required": required}


def _described(schema: Schema) -> Schema:
    return {key: value for key, value in schema.items() if key in ("description", "examples")}


def _titled(schema: Schema, title: str) -> Schema:
    schema.pop("title", None)
    schema.pop("description", None)
    return {"$schema": DIALECT, "title": title, **schema}


def _tolerant(schema: Schema) -> Schema:
    """The schema with what the language allows everywhere added to every property; titles are left out."""
    made = {key: value for key, value in schema.items() if key not in ("properties", "$defs", "title")}
    if "properties" in schema:
        made["properties"] = {key: _value(value) for key, value in schema["properties"].items()}
    if "$defs" in schema:
        made["$defs"] = {key: _tolerant(value) for key, value in schema["$defs"].items()}
    return made


def _value(schema: Schema) -> Schema:
    """The schema of one key's value."""
    schema = {key: value for key, value in schema.items() if key != "title"}
    for keyword in ("additionalProperties", "items"):
        if isinstance(schema.get(keyword), dict):
            schema[keyword] = _value(schema[keyword])
    if "anyOf" in schema:
        arms = [_value(arm) for arm in schema.pop("anyOf")]
        return {**schema, "anyOf": _unique([*arms, _EXPRESSION])}
    change = _CHANGES.get(_kind(schema))
    return change(schema) if change else schema


def _kind(schema: Schema) -> str:
    """The word that decides how a value may be written otherwise; empty for what is tolerant already."""
    for keyword in ("enum", "$ref"):
        if keyword in schema:
            return keyword
    return schema["type"] if isinstance(schema.get("type"), str) else ""


def _unique(arms: list[Schema]) -> list[Schema]:
    flat = [inner for arm in arms for inner in (arm["anyOf"] if set(arm) == {"anyOf"} else [arm])]
    return [arm for index, arm in enumerate(flat) if arm not in flat[:index]]


def _text(schema: Schema) -> Schema:
    """Text may be written as a bare number or boolean; a choice or a pattern may also be an expression."""
    if "const" in schema or "pattern" in schema:
        return _or_expression(schema)
    return {**schema, "type": ["string", "number", "boolean"]}


def _or_expression(schema: Schema) -> Schema:
    outer: Schema = {key: schema[key] for key in ("description", "examples", "default") if key in schema}
    inner = {key: value for key, value in schema.items() if key not in outer}
    return {**outer, "anyOf": [inner, _EXPRESSION]}


def _list(schema: Schema) -> Schema:
    """A list of texts may be written as one text."""
    items = schema.get("items", {})
    texts = items.get("type") == ["string", "number", "boolean"] or "anyOf" in items
    changed = _or_expression(schema)
    return {**changed, "anyOf": [*changed["anyOf"][:1], {"type": "string"}]} if texts else changed


_CHANGES: dict[str, Callable[[Schema], Schema]] = {
    "string": _text,
    "integer": _or_expression,
    "number": _or_expression,
    "boolean": _or_expression,
    "array": _list,
    "enum": _or_expression,
    "$ref": _or_expression,
}
