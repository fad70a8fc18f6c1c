"""What the keys of a document are made of, beyond the types that steps share with them: names, conditions, lists."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from flowmill.expressions.template import Expression, Unclosed, has_expression, split
from flowmill_tasks.fields import ExactJson, Folded, Json, Line, Plain, Templated, Text, Unrendered

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
FLOW_NAME = re.compile(rf"{NAME.pattern}\.{NAME.pattern}")
"""A flow's whole name: `<project>.<flow>`."""
NAME_RULE = (
    "names are lower-case letters, digits, `_` and `-`, start with a letter or digit, and have at most 63 characters"
)


def _name(value: str) -> str:
    if not NAME.fullmatch(value):
        words = {"value": value[:80], "hint": NAME_RULE}
        raise PydanticCustomError("bad_name", "`{value}` is not a name", words)
    return value


def _flow_name(value: str) -> str:
    if not FLOW_NAME.fullmatch(value):
        words = {"value": value[:130], "hint": f"write `<project>.<flow>`; {NAME_RULE}"}
        raise PydanticCustomError("bad_name", "`{value}` does not name a flow", words)
    return value


def _all_constant(value: Any) -> Any:
    for item in value if isinstance(value, list) else [value]:
        _constant(item)
    return value


def as_list(value: Any) -> Any:
    """A text alone stands for a list of it."""
    return [value] if isinstance(value, str) else value


def _constant(value: Any) -> Any:
    if isinstance(value, Unrendered):
        raise PydanticCustomError(
            "not_constant", "must be known before the run starts, but the expression needs the run"
        )
    return value


def _written(value: Any) -> Any:
    if isinstance(value, Folded | Unrendered):
        words = "it decides which keys there are, so no expression can stand here"
        raise PydanticCustomError("bad_value", "{words}", {"words": words})
    return value


_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}")
_ENV_REFUSED = re.compile(
    r"LD_.*|DYLD_.*|PATH|PYTHONPATH|PYTHONHOME|PYTHONSTARTUP|BASH_ENV|ENV|IFS|PREFECT_.*|DOCKER_HOST|FLOWMILL_RESULT"
)


def env_name_problem(name: str) -> str:
    """Why `name` cannot be the name of an environment variable of a step; empty when it can."""
    if not _ENV_NAME.fullmatch(name):
        return f"`{name[:80]}` is not a name for an environment variable"
    if _ENV_REFUSED.fullmatch(name):
        return f"`{name}` changes how programs are loaded or where results and the worker go, and may not be set"
    return ""


def _env_name(name: str) -> str:
    if problem := env_name_problem(name):
        raise PydanticCustomError("env_name", "{problem}", {"problem": problem})
    return name


def _condition(value: Any) -> Any:
    """The source of the one expression that an `if` is, whether `${{ }}` stands around it or not."""
    text = ("true" if value else "false") if isinstance(value, bool) else value
    if not isinstance(text, str) or not text.strip():
        raise PydanticCustomError("bad_value", "expected an expression, such as `failure()`")
    pieces = split(text) if has_expression(text) else (Expression(text, 0),)
    whole = [] if isinstance(pieces, Unclosed) else [it for it in pieces if not isinstance(it, str) or it.strip()]
    if len(whole) != 1 or not isinstance(whole[0], Expression):
        words = "put all of the condition into one `${{ }}`: text around an expression would always count as true"
        raise PydanticCustomError("bad_value", "{words}", {"words": words})
    return Plain(whole[0].source.strip())


def _list_only(value: Any) -> Any:
    """A list, or an expression that the run turns into one."""
    if isinstance(value, str) and not isinstance(value, Unrendered):
        raise PydanticCustomError(
            "wrong_type", "expected a list, or an expression that gives one: `${{ steps.ask.stdout | lines }}`"
        )
    return value


Condition = Annotated[
    str,
    BeforeValidator(_condition),
    WithJsonSchema({"anyOf": [{"type": "string", "minLength": 1}, {"type": "boolean"}]}),
]
Elements = Annotated[
    Templated[list[ExactJson]],
    BeforeValidator(_list_only),
    WithJsonSchema({"anyOf": [{"type": "array"}, {"type": "string", "pattern": r"\$\{\{"}]}),
]

Name = Annotated[
    Text,
    BeforeValidator(_constant),
    AfterValidator(_name),
    WithJsonSchema({"type": "string", "pattern": f"^{NAME.pattern}$"}),
]
FlowName = Annotated[
    Text,
    BeforeValidator(_constant),
    AfterValidator(_flow_name),
    WithJsonSchema({"type": "string", "pattern": f"^{FLOW_NAME.pattern}$"}),
]
WrittenName = Annotated[Name, BeforeValidator(_written)]
ConstantLine = Annotated[Line, BeforeValidator(_constant)]
ConstantJson = Annotated[Json, BeforeValidator(_all_constant)]
Names = Annotated[list[Name], BeforeValidator(as_list)]
SecretNames = Annotated[list[ConstantLine], BeforeValidator(as_list)]
Environ = dict[Annotated[str, AfterValidator(_env_name)], Text]
