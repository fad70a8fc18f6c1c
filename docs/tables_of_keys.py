"""Tables of keys, made from the models that validate them."""

from functools import cache
from typing import Any

import yaml
from markdown_table import table
from pydantic import BaseModel, TypeAdapter

from flowmill.spec.flow import FlowSpec, StepKeys
from flowmill.spec.workspace import Project, Workspace
from flowmill.testing.spec import FlowTests
from flowmill_tasks.fields import Duration, SecretText, Size
from flowmill_tasks.registry import discover

Schema = dict[str, Any]

HEAD = ("key", "type", "default", "meaning", "for example")
DOCUMENTS: dict[str, type[BaseModel]] = {
    "workspace": Workspace,
    "project": Project,
    "flow": FlowSpec,
    "step": StepKeys,
    "test": FlowTests,
}
WORDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "`true` or `false`",
    "object": "map",
    "array": "list",
}
NOTHING: tuple[Any, ...] = (None, "", [], {})


def key_table(what: str) -> str:
    """The keys of a document, of a step type, or of a map inside one (`flow.parameters`)."""
    name, *inner = what.split(".")
    schema = _model(name).model_json_schema(by_alias=True)
    definitions = schema.get("$defs", {})
    for key in inner:
        schema = _map_inside(schema["properties"][key], definitions)
    required = schema.get("required", [])
    return table(HEAD, (_row(key, value, key in required) for key, value in schema["properties"].items()))


def _model(name: str) -> type[BaseModel]:
    return DOCUMENTS.get(name) or discover()[name]


def _map_inside(schema: Schema, definitions: Schema) -> Schema:
    """The first map with keys of its own that a value may be or hold.

    Raises:
        StopIteration: there is none.
    """
    if "$ref" in schema:
        return dict(definitions[schema["$ref"].rpartition("/")[2]])
    if "properties" in schema:
        return schema
    return next(_map_inside(part, definitions) for part in _parts(schema) if _has_map(part))


def _has_map(schema: Schema) -> bool:
    return "$ref" in schema or "properties" in schema or any(map(_has_map, _parts(schema)))


def _parts(schema: Schema) -> list[Schema]:
    """What a value of this type may be, or hold."""
    parts = [*schema.get("anyOf", []), schema.get("additionalProperties"), schema.get("items")]
    return [part for part in parts if isinstance(part, dict)]


def _row(key: str, schema: Schema, required: bool) -> tuple[str, ...]:
    default = "required" if required else _default(schema)
    examples = ", ".join(map(_code, schema.get("examples", [])))
    return f"`{key}`", kind(schema), default, _sentence(schema), examples


def _default(schema: Schema) -> str:
    """What stands for an absent key; nothing where that is nothing, too."""
    value: Any = schema.get("default")
    if value in NOTHING:
        return ""
    return _code(_size(value) if kind(schema) == "size" else value)


def kind(schema: Schema) -> str:
    """The type of a value in words."""
    for known, word in _known():
        if all(schema.get(key) == value for key, value in known.items()):
            return word
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(kind(arm) for arm in schema["anyOf"] if arm.get("type") != "null"))
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{word}`" for word in schema.get("enum", [schema.get("const")]))
    return _plain_kind(schema)


def _plain_kind(schema: Schema) -> str:
    word = schema.get("type")
    if not isinstance(word, str):
        return "text" if word else "map" if "$ref" in schema else "any value"
    inside = schema.get({"array": "items", "object": "additionalProperties"}.get(word, ""))
    many = {"text": "texts", "name": "names", "map": "maps"}.get(kind(inside)) if isinstance(inside, dict) else None
    return f"{WORDS[word]} of {many}" if many else WORDS[word] + _bounds(schema)


def _bounds(schema: Schema) -> str:
    low = schema.get("minimum", schema.get("ge"))
    high = schema.get("maximum", schema.get("le"))
    return "".join(f" {word} {bound}" for word, bound in (("from", low), ("to", high)) if bound is not None)


@cache
def _known() -> list[tuple[Schema, str]]:
    """Types with a name of their own, told by the part of their schema that no other type has."""
    duration = TypeAdapter(Duration).json_schema()["anyOf"]
    size = TypeAdapter(Size).json_schema()["anyOf"]
    secret = TypeAdapter(SecretText).json_schema()["pattern"]
    name = StepKeys.model_json_schema()["properties"]["id"]["pattern"]
    return [
        ({"anyOf": duration}, "duration"),
        ({"anyOf": size}, "size"),
        ({"pattern": secret}, "expression"),
        ({"pattern": r"\$\{\{"}, "expression"),
        ({"pattern": name}, "name"),
    ]


def _size(count: int) -> str:
    """Bytes as a spec would spell them: 2147483648 -> `2g`."""
    power = next(power for power in (3, 2, 1, 0) if count % 1024**power == 0)
    return f"{count // 1024**power}{'bkmg'[power]}"


def _code(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000)
    text = text.removesuffix("...\n").strip()
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def _sentence(schema: Schema) -> str:
    """The description as a sentence: those of some models have no capital and no full stop."""
    text = str(schema.get("description", ""))
    return text[:1].upper() + text[1:].removesuffix(".") + "." if text else ""
