"""Which field of a model describes a key, however deep it lies in maps and lists."""

from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo


def field_of(model: type[BaseModel], key: str) -> FieldInfo | None:
    """The field of a model that a key is written for."""
    return next((field for name, field in model.model_fields.items() if (field.alias or name) == key), None)


def within(kind: Any, step: str | int) -> tuple[Any, FieldInfo | None]:
    """The type of what a value of a type has at a key or a number, and its field; None where nothing is known."""
    for option in options(kind):
        if isinstance(option, type) and issubclass(option, BaseModel) and isinstance(step, str):
            if field := field_of(option, step):
                return field.annotation, field
        elif get_origin(option) is (list if isinstance(step, int) else dict):
            return get_args(option)[-1], None
    return None, None


def model_in(kind: Any) -> type[BaseModel] | None:
    """The model that a map of this type is of."""
    found = (it for it in options(kind) if isinstance(it, type) and issubclass(it, BaseModel))
    return next(found, None)


def unset(model: type[BaseModel], given: Mapping[str, Any]) -> Iterator[tuple[str, FieldInfo]]:
    """The keys that a model has a default for and nobody gives."""
    for name, field in model.model_fields.items():
        key = field.alias or name
        if key not in given and not field.is_required():
            yield key, field


def options(kind: Any) -> Iterator[Any]:
    """What a type may be: the parts of a union, without annotations."""
    if get_origin(kind) is Annotated:
        yield from options(get_args(kind)[0])
    elif get_origin(kind) in (Union, UnionType):
        for part in get_args(kind):
            yield from options(part)
    else:
        yield kind
