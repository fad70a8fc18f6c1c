"""Two values differ exactly where they differ, items of lists by their names."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowmill.differences import ABSENT, Difference, differences


def found(before: Any, after: Any) -> dict[str, tuple[Any, Any]]:
    return {it.key: (it.before, it.after) for it in differences(before, after)}


CASES: dict[str, tuple[Any, Any, dict[str, tuple[Any, Any]]]] = {
    "the same": ({"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}, {}),
    "a value": ({"a": {"b": 1}}, {"a": {"b": 2}}, {"a.b": (1, 2)}),
    "null is not absent": ({}, {"a": None}, {"a": (ABSENT, None)}),
    "a whole number": ({"a": 1}, {"a": 1.0}, {}),
    "true is not 1": ({"a": 1}, {"a": True}, {"a": (1, True)}),
    "true in a list": ({"a": [1]}, {"a": [True]}, {"a": ([1], [True])}),
    "a text is not a number": ({"a": 1}, {"a": "1"}, {"a": (1, "1")}),
    "another kind": ({"a": {"b": 1}}, {"a": [1]}, {"a": ({"b": 1}, [1])}),
    "lists are one value": ({"a": [1, 2]}, {"a": [1, 3]}, {"a": ([1, 2], [1, 3])}),
    "items by id": (
        {"steps": [{"id": "a", "n": 1}, {"id": "b", "n": 1}]},
        {"steps": [{"id": "new"}, {"id": "a", "n": 2}, {"id": "b", "n": 1}]},
        {"steps.a.n": (1, 2), "steps.new": (ABSENT, {"id": "new"})},
    ),
    "items by name": ([{"name": "a", "n": 1}], [{"name": "a", "n": 2}], {"a.n": (1, 2)}),
    "id before name": (
        [{"id": "x", "name": "old"}],
        [{"id": "x", "name": "new"}],
        {"x.name": ("old", "new")},
    ),
    "the first item": ([], [{"id": "a"}], {"a": (ABSENT, {"id": "a"})}),
    "the last item": ([{"id": "a"}], [], {"a": ({"id": "a"}, ABSENT)}),
    "only the order": ([{"id": "a"}, {"id": "b"}], [{"id": "b"}, {"id": "a"}], {"": (["a", "b"], ["b", "a"])}),
    "the order, and one more": (
        [{"id": "a"}, {"id": "b"}],
        [{"id": "b"}, {"id": "c"}, {"id": "a"}],
        {"": (["a", "b"], ["b", "c", "a"]), "c": (ABSENT, {"id": "c"})},
    ),
    "two of one name": (
        [{"id": "a"}, {"id": "a"}],
        [{"id": "a"}],
        {"": ([{"id": "a"}, {"id": "a"}], [{"id": "a"}])},
    ),
    "one without a name": ([{"id": "a"}], [{"x": 1}], {"": ([{"id": "a"}], [{"x": 1}])}),
}


@pytest.mark.parametrize("case", CASES)
def test_differences(case: str) -> None:
    before, after, expected = CASES[case]
    assert found(before, after) == expected


values = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from(["", "x"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["id", "name", "a"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(values, values)
def test_there_is_no_difference_only_where_there_is_none(one: Any, other: Any) -> None:
    assert differences(one, one) == []
    # `repr` tells 1 from True.
    assert bool(differences(one, other)) == (_sorted(one) != _sorted(other))


@given(values, values)
def test_backwards_it_is_the_same_with_sides_changed(one: Any, other: Any) -> None:
    forth = {(it.path, repr(it.before), repr(it.after)) for it in differences(one, other)}
    back = {(it.path, repr(it.after), repr(it.before)) for it in differences(other, one)}
    assert forth == back


def _sorted(value: Any) -> str:
    if isinstance(value, dict):
        return f"map {sorted((key, _sorted(item)) for key, item in value.items())}"
    return repr([_sorted(item) for item in value]) if isinstance(value, list) else repr(value)


def test_a_difference_knows_its_key() -> None:
    assert Difference(("steps", "load", "args", 1), 1, 2).key == "steps.load.args.1"
