"""The filters for lists, maps and numbers."""

from collections.abc import Mapping
from datetime import datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from flowmill.expressions.refusal import Refusal, bounded, items, number, refused
from flowmill.expressions.text_filters import to_json
from flowmill.expressions.times import Span, given

_DIGITS_AT_MOST = 15
_EXACT = Context(prec=400)
"""Enough for every float, the largest of which has 309 digits before its point."""


def default(value: Any, instead: Any = "") -> Any:
    """The value, or `instead` where there is none (it is undefined, null or empty)."""
    from jinja2 import Undefined

    return instead if isinstance(value, Undefined) or value is None or value == "" else value


def first(values: Any) -> Any:
    """The first item of a list, or character of a text; of an empty one there is none, so `default` may follow."""
    return _at(values, 0, "first")


def last(values: Any) -> Any:
    """The last item of a list, or character of a text; of an empty one there is none, so `default` may follow."""
    return _at(values, -1, "last")


def _at(values: Any, index: int, who: str) -> Any:
    found = values if isinstance(values, str) else items(values, who)
    return given(found[index]) if found else _nothing(who)


def _nothing(who: str) -> Any:
    """A value that is missing: an error wherever it is used but in `default`."""
    from jinja2 import StrictUndefined

    return StrictUndefined(hint=f"there is no `{who}` of an empty list")


def join(values: Any, separator: str = "") -> str:
    """The items as one text."""
    found, between = values if isinstance(values, str) else items(values, "join"), str(separator)
    bounded(len(found) * len(between), "join")
    return between.join(map(str, found))


def length(value: Any) -> int:
    """How many items a list or a map has, or characters a text."""
    if isinstance(value, str | list | tuple | Mapping):
        return len(value)
    raise refused(value, "`length` takes a text, a list or a map")


def map_attribute(values: Any, *, attribute: str) -> list[Any]:
    """The field of that name of every map in a list."""
    return [_field(item, attribute) for item in items(values, "map")]


def _field(item: Any, attribute: str) -> Any:
    if isinstance(item, Mapping) and attribute in item:
        return given(item[attribute])
    raise refused(item, "`map` takes a list of maps that all have the field")


def keys(value: Any) -> list[Any]:
    """The names in a map, in its order."""
    return list(_map(value, "keys"))


def values(value: Any) -> list[Any]:
    """The values in a map, in its order."""
    return [given(item) for item in _map(value, "values").values()]


def _map(value: Any, who: str) -> Mapping[Any, Any]:
    if isinstance(value, Mapping):
        return value
    raise refused(value, f"`{who}` takes a map")


def reverse(values: Any) -> list[Any]:
    """The list from its end."""
    return items(values, "reverse")[::-1]


def unique(values: Any) -> list[Any]:
    """The list without repetitions, in the order of the first ones."""
    found: dict[Any, Any] = {}
    for item in items(values, "unique"):
        # Lists and maps cannot be looked up; their JSON can. `true` is not 1 here, as it is in Python.
        key = to_json(item) if isinstance(item, list | tuple | Mapping) else item
        found.setdefault((type(item) is bool, isinstance(item, str), key), item)
    return list(found.values())


def sort(values: Any) -> list[Any]:
    """The list in ascending order."""
    return sorted(_of_one_kind(values, "sort"))


def smallest(values: Any) -> Any:
    """The smallest item of a list, or the earliest."""
    return min(_of_one_kind(values, "min"), default=_nothing("min"))


def largest(values: Any) -> Any:
    """The largest item of a list, or the latest."""
    return max(_of_one_kind(values, "max"), default=_nothing("max"))


def total(values: Any) -> Any:
    """The sum of the numbers or the lengths of time in a list; 0 for an empty one."""
    found = _of_one_kind(values, "sum")
    if any(isinstance(item, str | datetime) for item in found):
        raise Refusal("`sum` takes a list of numbers or of lengths of time", "texts are joined with `| join`")
    return sum(found[1:], start=found[0]) if found else 0


_KINDS: tuple[Any, ...] = (int | float, str, datetime, Span)


def _of_one_kind(values: Any, who: str) -> list[Any]:
    found = [given(item) for item in items(values, who)]
    for item in found:
        if isinstance(item, bool) or not any(isinstance(item, kind) for kind in _KINDS):
            raise refused(item, f"`{who}` takes a list of numbers, texts, times or lengths of time")
    if not any(all(isinstance(item, kind) for item in found) for kind in _KINDS):
        raise Refusal(f"`{who}` takes items of one kind", "`| int` makes a number of a text, `| string` a text")
    return found


def rounded(value: Any, digits: int = 0) -> int | float:
    """The number with this many digits behind its point; a half goes away from zero. Without digits it is whole."""
    places, exact = digits_named(digits), number(value, "round")
    if isinstance(exact, int) or exact - exact != 0:
        return exact
    near = Decimal(repr(exact)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, _EXACT)
    return float(near) if places else int(near)


def digits_named(digits: Any) -> int:
    """How many digits `round` keeps."""
    if isinstance(digits, int) and not isinstance(digits, bool) and 0 <= digits <= _DIGITS_AT_MOST:
        return digits
    raise refused(digits, f"`round` takes 0 to {_DIGITS_AT_MOST} digits")
