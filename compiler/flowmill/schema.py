"""JSON Schemas for editors, generated from the same models that validate.

A schema cannot know what this language allows everywhere: an expression instead of a value, a bare number
where text is wanted, one text instead of a list of them. Those are added here, in one pass.
"""

import json
from collections.abc import Callable
from typing import Any

from flowmill.diagnostics import Severity
from flowmill.lint.registry import rules
from flowmill.spec.flow import HANDLERS, ONLY_IN_STEPS, FlowSpec, StepKeys
from flowmill.spec.values import NAME
from flowmill.spec.workspace import Project, Workspace
from flowmill.testing.spec import FlowTests
from flowmill_tasks.base import Step
from flowmill_tasks.registry import Registry

DIALECT = "https://json-schema.org/draft/2020-12/schema"
# The title keeps yaml-language-server from taking this arm for the others, and showing the bars between all of them.
_EXPRESSION = {"title": "expression", "type": "string", "pattern": r"\$\{\{"}

Schema = dict[str, Any]


def schemas(registry: Registry) -> dict[str, str]:
    """The text of every schema file, by file name."""
    made = {
        "flow.schema.json": flow_schema(registry),
        "test.schema.json": _document(_of(FlowTests), "Tests of a flow of flowmill"),
        "project.schema.json": _project_schema(registry),
        "workspace.schema.json": _workspace_schema(registry),
    }
    return {name: json.dumps(_named(name, it), indent=2, ensure_ascii=False) + "\n" for name, it in made.items()}


def flow_schema(registry: Registry) -> Schema:
    """The schema of a flow's spec, its steps by type included."""
    schema = _of(FlowSpec)
    definitions = {**schema.pop("$defs", {}), **_definitions(registry)}
    keys = schema["properties"]
    keys["steps"]["items"] = {"$ref": "#/$defs/step"}
    for name in HANDLERS:
        keys[name]["items"] = {"$ref": "#/$defs/handler"}
    keys["defaults"] = {**_described(keys["defaults"]), "$ref": "#/$defs/defaults"}
    keys["environment"] = {**_described(keys["environment"]), **_ENVIRONMENT}
    schema["properties"] = _pooled(keys, "flow", definitions)
    # The others may come from a project's defaults or a template, which a schema of one file cannot see.
    schema["required"] = ["project"]
    schema["anyOf"] = [{"required": ["steps"]}, {"required": ["extends"]}]
    overridable = {key: value for key, value in schema["properties"].items() if key not in _IDENTITY}
    definitions["override"] = _closed(overridable)
    return _document({**schema, "$defs": definitions}, "A flow of flowmill")


_IDENTITY = ("project", "environment", "extends")
_NO_DEFAULTS = ("project", "defaults", "extends")
_ENVIRONMENT: Schema = {
    "anyOf": [
        {"type": "string"},
        {"type": "array", "items": {"type": "string"}, "minItems": 1},
        {"type": "object", "additionalProperties": {"$ref": "#/$defs/override"}, "minProperties": 1},
    ]
}


def _closed(keys: Schema) -> Schema:
    """A map of these keys and no others, none of them required; it may be left empty."""
    return {"type": ["object", "null"], "properties": keys, "additionalProperties": False}


def _pooled(keys: Schema, owner: str, definitions: Schema) -> Schema:
    """The keys as references into `$defs`: each is described once, however often it may be written."""
    definitions |= {f"{owner}.{key}": schema for key, schema in keys.items()}
    return {key: {"$ref": f"#/$defs/{owner}.{key}"} for key in keys}


def _workspace_schema(registry: Registry) -> Schema:
    schema = _with_defaults(_of(Workspace), registry, "A workspace of flowmill")
    schema["$defs"]["Environment"]["properties"]["defaults"] = schema["properties"]["defaults"]
    rules_of_lint = schema["$defs"]["Lint"]["properties"]["rules"]
    schema["$defs"]["Lint"]["properties"]["rules"] = {**_described(rules_of_lint), **_closed(_rules())}
    return schema


def _rules() -> Schema:
    """The rules by code, each as a severity alone or as a map of its options."""
    return {
        code: {"description": rule.summary, "anyOf": [{"enum": ["off", *Severity]}, _of(rule.options)]}
        for code, rule in rules().items()
    }


def _project_schema(registry: Registry) -> Schema:
    """A template may hold every key of a flow but `project`, which its place says."""
    schema = _with_defaults(_of(Project), registry, "A project of flowmill")
    template = _closed(_without(flow_schema(registry)["properties"], "project"))
    schema["$defs"]["template"] = template
    schema["properties"]["templates"] = {
        **_described(schema["properties"]["templates"]),
        "type": "object",
        "propertyNames": {"pattern": f"^{NAME.pattern}$"},
        "additionalProperties": {"$ref": "#/$defs/template"},
    }
    return schema


def _with_defaults(schema: Schema, registry: Registry, title: str) -> Schema:
    """A document whose `defaults` may hold any key of a flow, and keys for steps."""
    flow = flow_schema(registry)
    definitions = {**flow["$defs"], **schema.get("$defs", {})}
    keys = {**flow["properties"], **definitions["defaults"]["properties"]}
    described = _described(schema["properties"]["defaults"])
    allowed = {key: value for key, value in keys.items() if key not in _NO_DEFAULTS}
    schema["properties"]["defaults"] = {**described, **_closed(allowed)}
    return _document({**schema, "$defs": definitions}, title)


def _definitions(registry: Registry) -> dict[str, Schema]:
    """The steps, the handlers and the defaults for steps, each by type."""
    made: dict[str, Schema] = {}
    common = _pooled(_of(StepKeys)["properties"], "step", made)
    by_type = {word: _own_keys(word, step_type, made) for word, step_type in registry.items()}
    in_steps = {word: {**common, **own} for word, own in by_type.items()}
    in_handlers = {word: _without(keys, *ONLY_IN_STEPS) for word, keys in in_steps.items()}
    in_defaults = {word: _without(keys, "id", "type") for word, keys in {"all": common, **in_steps}.items()}
    made["step"] = {**_by_type(in_steps, registry), "required": ["id", "type"]}
    made["handler"] = {**_by_type(in_handlers, registry), "required": ["type"]}
    made["defaults"] = _closed({word: _default_keys(word, keys) for word, keys in in_defaults.items()})
    return made


def _default_keys(word: str, keys: Schema) -> Schema:
    which = "every step" if word == "all" else f"every step of type `{word}`"
    return {"description": f"keys for {which}", **_closed(keys)}


def _by_type(keys_by_type: dict[str, Schema], registry: Registry) -> Schema:
    """`type` decides which keys there are: editors then complete those of the type that was written."""
    return {
        "type": "object",
        "properties": {"type": {"enum": list(keys_by_type), "description": "the step type"}},
        "allOf": [
            {
                "if": {"properties": {"type": {"const": word}}, "required": ["type"]},
                "then": {**_closed(_of_type(word, keys)), "type": "object", "description": registry[word].summary},
            }
            for word, keys in keys_by_type.items()
        ],
    }


def _of_type(word: str, keys: Schema) -> Schema:
    return {**keys, "type": {"const": word, "description": "the step type"}}


def _own_keys(word: str, step_type: type[Step], definitions: Schema) -> Schema:
    schema = _of(step_type)
    definitions |= schema.pop("$defs", {})
    return _pooled(schema.get("properties", {}), word, definitions)


def _without(keys: Schema, *left_out: str) -> Schema:
    return {key: value for key, value in keys.items() if key not in left_out}


def _of(model: Any) -> Schema:
    schema: Schema = model.model_json_schema(by_alias=True)
    return _tolerant(schema)


def _described(schema: Schema) -> Schema:
    return {key: value for key, value in schema.items() if key in ("description", "examples")}


def _document(schema: Schema, what: str) -> Schema:
    """The schema of a whole file; without a title, which editors would show above every key."""
    return {**{key: value for key, value in schema.items() if key != "title"}, "description": what}


def _named(file: str, schema: Schema) -> Schema:
    return {"$schema": DIALECT, "$id": f"urn:flowmill:{file}", **schema}


def _tolerant(schema: Schema) -> Schema:
    """The schema with what the language allows everywhere added to every property; titles are left out."""
    made = {key: value for key, value in schema.items() if key not in ("properties", "$defs", "title")}
    if "properties" in schema:
        made["properties"] = {key: _value(value) for key, value in schema["properties"].items()}
    if "$defs" in schema:
        made["$defs"] = {key: _tolerant(value) for key, value in schema["$defs"].items()}
    return made


_KEYWORDS = {"ge": "minimum", "le": "maximum", "gt": "exclusiveMinimum", "lt": "exclusiveMaximum"}
"""Pydantic's words for bounds that it could not translate, because our own code reads the value first."""


def _value(schema: Schema) -> Schema:
    """The schema of one key's value."""
    schema = {_KEYWORDS.get(key, key): value for key, value in schema.items() if key != "title"}
    for keyword in ("additionalProperties", "items"):
        if isinstance(schema.get(keyword), dict):
            schema[keyword] = _value(schema[keyword])
    if "anyOf" in schema:
        # Editors would show the description of each arm as well.
        arms = [_without(_value(arm), "description") for arm in schema.pop("anyOf")]
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
