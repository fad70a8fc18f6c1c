"""Whether a value of a run is the one that a test expects, and where the two differ.

What a test writes bare has the type of what it is compared with: `1` is the text `1` in an argv, and the number in
`attempts`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from flowmill.testing.diff import Lines, difference, missing, unwanted
from flowmill.testing.spec import Pattern
from flowmill_tasks.fields import Plain, core_value

PATTERN_KEYS = frozenset(Pattern.model_fields)


def is_pattern(value: Any) -> bool:
    """Whether a value stands for what a text must hold."""
    return isinstance(value, Pattern) or (isinstance(value, Mapping) and bool(value) and PATTERN_KEYS.issuperset(value))


def agrees(expected: Any, actual: Any) -> bool:
    """Whether the value is as expected."""
    if is_pattern(expected):
        return isinstance(actual, str) and not any(_unfulfilled(_pattern(expected), actual))
    if isinstance(actual, str):
        return isinstance(expected, str) and expected == actual
    if isinstance(actual, list | tuple):
        same_length = isinstance(expected, list) and len(expected) == len(actual)
        return same_length and all(map(agrees, expected, actual))
    if isinstance(actual, Mapping):
        same_keys = isinstance(expected, Mapping) and expected.keys() == actual.keys()
        return same_keys and all(agrees(expected[key], actual[key]) for key in actual)
    return _same_scalar(core_value(expected), actual)


def lines(expected: Any, actual: Any) -> Lines:
    """What differs between a value and what was expected, as lines."""
    if is_pattern(expected) and isinstance(actual, str):
        return tuple(line for part in _unfulfilled(_pattern(expected), actual) for line in part)
    return difference(*_alike(expected, actual))


def _alike(expected: Any, actual: Any) -> tuple[Any, Any]:
    """Both sides as they are to be shown: what agrees looks the same, and what is of another type does not."""
    if agrees(expected, actual):
        return actual, actual
    if isinstance(expected, list) and isinstance(actual, list | tuple):
        # Aligned by where they agree, so that a pattern in the middle counts as the same.
        pairs = {number: item for number, item in enumerate(actual) if number < len(expected)}
        return [_shown(item, pairs.get(number)) for number, item in enumerate(expected)], list(actual)
    if isinstance(expected, Mapping) and isinstance(actual, Mapping) and not is_pattern(expected):
        return {key: _shown(value, actual.get(key)) for key, value in expected.items()}, dict(actual)
    return _shown(expected, actual), actual


def _shown(expected: Any, actual: Any) -> Any:
    if actual is not None and agrees(expected, actual):
        return actual
    if is_pattern(expected):
        return in_words(expected)
    return expected if isinstance(actual, str) or actual is None else core_value(expected)


def in_words(pattern: Any) -> str:
    """A pattern in one line."""
    found = _pattern(pattern)
    contained = [f"(contains) {text}" for text in found.contains or []]
    return " ".join([*contained, *(f"(does not contain) {text}" for text in found.not_contains or [])])


def _pattern(value: Any) -> Pattern:
    return value if isinstance(value, Pattern) else Pattern.model_validate(value)


def _unfulfilled(pattern: Pattern, text: str) -> Iterator[Lines]:
    yield from (missing(part, text) for part in pattern.contains or [] if part not in text)
    yield from (unwanted(part, text) for part in pattern.not_contains or [] if part in text)


def _same_scalar(expected: Any, actual: Any) -> bool:
    if isinstance(expected, Plain):
        expected = str(expected)
    is_same_kind = isinstance(expected, bool) == isinstance(actual, bool)
    return is_same_kind and (expected == actual or expected == str(actual))
