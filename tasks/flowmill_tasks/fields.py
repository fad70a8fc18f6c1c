"""The types that a step's keys are made of.

A spec's scalar reaches a model as text: `Plain` when it was written bare (`retries: 3`), `str` when it was
quoted (`"3"`). Each type here decides what it accepts, so `image: 1.10` stays the text that was written,
`timeout: 30` is a number, and a quoted `"3"` where a number is wanted is an error and not a guess.

A value that holds an expression whose result is only known when the run starts arrives as `Unrendered`.
Wrap a type in `Templated[...]` to let it through; it is checked again, rendered, before the step runs.
"""

import re
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, WrapValidator
from pydantic_core import PydanticCustomError


class Plain(str):
    """A scalar written without quotes, exactly as it was written."""

    __slots__ = ()


class Folded(Plain):
    """Text that an expression gave when the flow was compiled; like bare text, it may become a number."""

    __slots__ = ()


class Rendered(Plain):
    """The same, but given while the run was going on."""

    __slots__ = ()


class Unrendered(str):
    """Text that holds at least one expression which only a run can evaluate."""

    __slots__ = ()


class Redacted:
    """A secret's value inside a step model: it shows itself as `***` wherever it is printed."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself, for the one place that hands it to the service."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__


T = TypeVar("T")

_INTEGER = re.compile(r"[-+]?[0-9]+")
_OTHER_BASES = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_DIGITS_AT_MOST = 30
"""Longer integers are text: no key needs one, and converting thousands of digits is slow."""

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_SHORT_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", re.ASCII)
_ISO_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", re.ASCII)
_SIZE = re.compile(r"(\d+)\s*([kmg]i?b?|b)?", re.ASCII | re.IGNORECASE)


def core_value(value: Any) -> Any:
    """What a bare scalar means in YAML 1.2's core schema: a boolean, an integer, a float, or its text.

    Lists and mappings are converted inside; quoted text stays text. Source: YAML 1.2.2, section 10.3.2.
    """
    if isinstance(value, dict):
        return {str(key): core_value(item) for key, item in value.items()}
    if isinstance(value, list):
        return [core_value(item) for item in value]
    return _core_scalar(str(value)) if type(value) is Plain else value


def exact_value(value: Any) -> Any:
    """`core_value`, but a number that would print differently (`1.10`, `0o17`) stays the text that was written."""
    if isinstance(value, dict):
        return {str(key): exact_value(item) for key, item in value.items()}
    if isinstance(value, list):
        return [exact_value(item) for item in value]
    number = core_value(value)
    return number if isinstance(number, bool) or str(number) == value else value


def _core_scalar(text: str) -> Any:
    if text in ("true", "True", "TRUE"):
        return True
    if text in ("false", "False", "FALSE"):
        return False
    if len(text) <= _DIGITS_AT_MOST and _INTEGER.fullmatch(text):
        return int(text)
    if len(text) <= _DIGITS_AT_MOST and _OTHER_BASES.fullmatch(text):
        return int(text, 0)
    if len(text) <= _DIGITS_AT_MOST and _FLOAT.fullmatch(text):
        return float(text)
    return text


def _unless_unrendered(value: Any, handler: Any) -> Any:
    return value if isinstance(value, Unrendered) else handler(value)


def _as_text(value: Any) -> Any:
    """Numbers and booleans that an expression computed become the text a person would write."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, str) and "\0" in value:
        raise PydanticCustomError("bad_value", "a NUL character is not allowed here")
    return value


def _refuse_unrendered(value: Any) -> Any:
    if isinstance(value, Unrendered):
        raise PydanticCustomError(
            "not_constant", "must be known before the run starts, but the expression needs the run"
        )
    return value


def _as_core(value: Any) -> Any:
    value = _refuse_unrendered(value)
    return _core_scalar(str(value)) if isinstance(value, Plain) else value


def _as_seconds(value: Any) -> Any:
    """Read a duration: `30s`, `5m`, `1h30m`, ISO 8601 (`PT5M`), or whole seconds."""
    value = _refuse_unrendered(value)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise PydanticCustomError("duration", "expected a duration such as `30s`, `5m` or `1h30m`")
    return value if isinstance(value, int) else _parse_duration(value)


def _parse_duration(text: str) -> int:
    if text.isascii() and text.isdecimal() and len(text) <= 9:
        return int(text)
    match = _SHORT_DURATION.fullmatch(text) or _ISO_DURATION.fullmatch(text)
    if not match or not any(match.groups()):
        raise PydanticCustomError(
            "duration",
            "expected a duration such as `30s`, `5m` or `1h30m`, got `{text}`",
            {"text": text[:40]},
        )
    return sum(int(count) * unit for count, unit in zip(match.groups(), (86400, 3600, 60, 1), strict=True) if count)


def _as_bytes(value: Any) -> Any:
    """Read a size: `512m`, `1g`, `64MiB`, or whole bytes; units are powers of 1024, as Docker's are."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    match = _SIZE.fullmatch(text)
    if not match:
        raise PydanticCustomError("bad_value", "expected a size such as `512m` or `1g`")
    power = " kmg".find((match[2] or " ")[0].lower())
    return int(match[1]) * 1024 ** max(power, 0)


def _one_line(value: str) -> str:
    if re.search(r"[\x00-\x1f\x7f\x85\u2028\u2029]", value):
        raise PydanticCustomError("bad_value", "must be one line without control characters")
    return value


def _only_from_a_secret(value: Any) -> Any:
    """A literal here would be a secret in a repository: only an expression, or its result, may stand here."""
    if isinstance(value, Redacted | Unrendered):
        return value
    if isinstance(value, Rendered | int):
        return Redacted(str(value))
    raise PydanticCustomError("secret_literal", "must come from a secret, for example ${{ secrets.name.key }}")


Templated = Annotated[T, WrapValidator(_unless_unrendered)]
"""`Templated[T]` accepts what `T` accepts, and an expression that the run will evaluate."""

Text = Annotated[str, BeforeValidator(_as_text)]
"""Text as it was written; a bare number or boolean keeps its spelling. It may hold expressions."""

Line = Annotated[Text, AfterValidator(_one_line)]
"""Text without line breaks or other control characters: what becomes a header, a name or an argument of one."""

WholeNumber = Annotated[int, BeforeValidator(_as_core)]
Number = Annotated[float, BeforeValidator(_as_core)]
Flag = Annotated[bool, BeforeValidator(_as_core)]

Duration = Annotated[
    int,
    BeforeValidator(_as_seconds),
    Field(ge=0, le=31_622_400),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0},
                {"type": "string", "pattern": r"^(\d+d)?(\d+h)?(\d+m)?(\d+s)?$|^PT?[0-9DTHMS]+$|^\d+$"},
            ],
            "description": "a duration: `30s`, `5m`, `1h30m`, ISO 8601 `PT5M`, or whole seconds",
        }
    ),
]
"""A length of time, in whole seconds, at most a year."""

Size = Annotated[
    int,
    BeforeValidator(_as_bytes),
    WithJsonSchema(
        {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": r"^\d+\s*([kKmMgG][iI]?[bB]?|[bB])?$"}]}
    ),
]
"""An amount of memory, in bytes."""

Json = Annotated[Any, BeforeValidator(core_value)]
"""Any YAML value, as JSON would hold it; texts inside may hold expressions."""

ExactJson = Annotated[Any, BeforeValidator(exact_value)]
"""`Json` whose numbers may end up in a text, and therefore keep their spelling."""

SecretText = Annotated[
    Any,
    BeforeValidator(_only_from_a_secret),
    WithJsonSchema({"type": "string", "pattern": r"\$\{\{.*\}\}"}),
]
"""A password, token or address that only a secret may supply; a `Redacted` once rendered."""
