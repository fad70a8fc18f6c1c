"""Values -> models, with every validation error as a finding; the one place that reads pydantic's errors."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import reduce
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from flowmill.codes import FIXED
from flowmill.diagnostics import Finding, Route
from flowmill.spec.binding_fixes import fix_of_key, fix_of_value
from flowmill.spec.values import NAME
from flowmill.suggest import did_you_mean, nearest

M = TypeVar("M", bound=BaseModel)

_WANTED = {
    "string": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "list": "a list",
    "dict": "a map",
    "model": "a map",
    "none_required": "nothing",
}
_LIMITS = {
    "too_short": "expected {min_length} or more items, got {actual_length}",
    "too_long": "expected {max_length} or fewer items, got {actual_length}",
    "string_too_short": "expected {min_length} or more characters",
    "string_too_long": "expected {max_length} or fewer characters",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "greater_than": "must be more than {gt}",
    "less_than": "must be less than {lt}",
}
_KINDS = {
    dict: "a map",
    list: "a list",
    bool: "true or false",
    type(None): "nothing",
    int: "a number",
    float: "a decimal number",
}


def bind(model: type[M], values: Any, route: Route, beside: type[BaseModel] | None = None) -> M | list[Finding]:
    """An instance of `model`, or what is wrong with `values`.

    Args:
        route: where the values stand in the document; it is put before every finding's route.
        beside: whose keys are allowed in the same map, and stand elsewhere (for suggestions only).
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=True)
        return without_misspelt(_one_per_place(_finding(detail, values, route, model, beside) for detail in details))


def keys_of(model: type[BaseModel]) -> list[str]:
    """The keys that a model accepts, as a spec spells them."""
    return [field.alias or name for name, field in model.model_fields.items()]


def without_misspelt(findings: Iterable[Finding]) -> list[Finding]:
    """The findings without keys that are not missing but misspelt: that is told once, where it is written."""
    found = list(findings)
    missing = {(it.route, _key_of(it)): it for it in found if it.code == "missing-key"}
    for index, finding in enumerate(found):
        if finding.code == "unknown-key":
            *owner, key = finding.route
            meant = nearest(str(key), [name for route, name in missing if route == tuple(owner)])
            if meant:
                fix = tuple(it for it in finding.fix if it.text == meant)
                found[index] = replace(finding, hint=f"did you mean `{meant}`?", fix=fix)
                del missing[tuple(owner), meant]
    return [it for it in found if it.code != "missing-key" or (it.route, _key_of(it)) in missing]


def _key_of(finding: Finding) -> str:
    """The key that is missing, as the message says."""
    return finding.message.partition("`")[2].rpartition("`")[0]


def _one_per_place(findings: Iterable[Finding]) -> Iterator[Finding]:
    """A field that may be one of several types fails once per type: the first is enough."""
    seen = set()
    for finding in findings:
        place = (finding.route, finding.at_key)
        if place not in seen or finding.code == "missing-key":
            seen.add(place)
            yield finding


def _finding(
    detail: ErrorDetails, values: Any, base: Route, model: type[BaseModel], beside: type[BaseModel] | None
) -> Finding:
    kind, where = detail["type"], _in_document(detail["loc"], values)
    if kind == "missing":
        key = str(detail["loc"][-1])
        return Finding(
            base + where,
            "missing-key",
            f"missing key `{key}`",
            _description(model, detail["loc"]),
            at_key=True,
        )
    if kind == "extra_forbidden":
        key, owner = str(detail["loc"][-1]), _model_at(model, detail["loc"][:-1])
        hint = _instead_of(key, owner, keys_of(beside) if beside else ())
        owners = {name: it for it in (beside, owner) if it for name in keys_of(it)}
        fix = fix_of_key(base + where, detail["input"], owners)
        return Finding(base + where, "unknown-key", f"unknown key `{key}`", hint, at_key=True, fix=fix)
    at_key = detail["loc"][-1:] == ("[key]",)
    written = reduce(lambda value, step: value[step], where, values)
    fix = () if at_key else fix_of_value(detail, base + where, written, _choices(detail))
    return Finding(base + where, *_code_and_message(detail, written), at_key=at_key, fix=fix)


def _code_and_message(detail: ErrorDetails, written: Any) -> tuple[str, str, str]:
    """Code, message and hint for an error about a value. The value itself is not quoted: it may be a secret."""
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "literal_error":
        allowed = str(context["expected"]).replace("'", "`")
        return "bad-value", f"expected {allowed}", _nearest_literal(detail)
    wanted = _WANTED.get(kind.removesuffix("_type").removesuffix("_parsing"))
    if wanted:
        return "wrong-type", f"expected {wanted}, got {_kind_of(detail['input'])}", _unquote_hint(detail, written)
    code = kind.replace("_", "-")
    message = _LIMITS[kind].format(**context) if kind in _LIMITS else _lower(detail["msg"])
    # A step type may word its own problems, but the codes are a documented, closed set.
    hint = _in_lower_case(written) if kind == "bad_name" else ""
    return code if code in FIXED else "bad-value", message, hint or str(context.get("hint", ""))


def _in_lower_case(written: Any) -> str:
    """The name that was meant where capital letters are all that is wrong."""
    lower = written.lower() if isinstance(written, str) else ""
    return f"did you mean `{lower}`?" if lower != written and NAME.fullmatch(lower) else ""


def _nearest_literal(detail: ErrorDetails) -> str:
    match = nearest(str(detail["input"]), _choices(detail)) if isinstance(detail["input"], str) else None
    return f"did you mean `{match}`?" if match else ""


def _choices(detail: ErrorDetails) -> list[str]:
    """The words that a value may be, where it may be one of some only."""
    expected = str(detail.get("ctx", {}).get("expected", ""))
    return [word.strip("' ") for part in expected.split(" or ") for word in part.split(",")]


def _unquote_hint(detail: ErrorDetails, written: Any) -> str:
    quoted_scalar = type(written) is str and not detail["type"].startswith(("list", "dict", "model"))
    return "a quoted value is text: leave the quotes out" if quoted_scalar else ""


def _kind_of(value: Any) -> str:
    return _KINDS.get(type(value), "text")


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]


def _in_document(location: tuple[str | int, ...], values: Any) -> Route:
    """The part of pydantic's location that exists in the values: it puts the names of union arms in between."""
    route: list[str | int] = []
    for step in location:
        try:
            values = values[step]
        except (LookupError, TypeError):
            continue
        route.append(step)
    return tuple(route)


def _instead_of(key: str, owner: type[BaseModel] | None, known: Iterable[str]) -> str:
    """What to write in place of a key that a map does not accept: the nearest that it does, or what it says itself."""
    words = [*(keys_of(owner) if owner else ()), *known]
    explained = getattr(owner, "about_other_keys", "")
    return explained if explained and nearest(key, words) is None else did_you_mean(key, words)


def _description(model: type[BaseModel], location: tuple[str | int, ...]) -> str:
    owner = _model_at(model, location[:-1])
    for name, field in owner.model_fields.items() if owner else ():
        if (field.alias or name) == location[-1] and field.description:
            return f"`{location[-1]}`: {field.description}"
    return ""


def _model_at(model: type[BaseModel] | None, location: tuple[str | int, ...]) -> type[BaseModel] | None:
    for step in location:
        if model is None:
            return None
        fields: Mapping[str, Any] = {field.alias or name: field for name, field in model.model_fields.items()}
        if step in fields:
            model = _model_in(fields[str(step)].annotation)
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The first model inside a type such as `dict[str, Server] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in getattr(annotation, "__args__", ()) if (found := _model_in(part))), None)
