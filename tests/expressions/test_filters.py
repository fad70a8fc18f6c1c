"""The filters for texts, lists, maps and numbers."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from flowmill.expressions.language import ExpressionError, Parsed, parse
from flowmill.expressions.list_filters import rounded, sort, unique
from flowmill.expressions.text_filters import html_lines, split

SCOPE: dict[str, Any] = {
    "start": datetime(2026, 4, 3, 7, 59, tzinfo=UTC),
    "empty": [],
    "files": ["a.csv", "b.txt", "old-a.csv"],
    "rows": [{"key": "x", "n": 2}, {"key": "y", "n": 1}],
    "secret": "hidden",
    "long": "x" * 100_000,
    "output": "first\r\n  \nlast one\n\n \n",
}


def evaluate(source: str) -> Any:
    parsed = parse(source)
    assert isinstance(parsed, Parsed), parsed
    return parsed.evaluate(SCOPE)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        pytest.param("'a, b,, c ,' | split(',')", ["a", "b", "c"], id="split"),
        pytest.param("'' | split(',')", [], id="split nothing"),
        pytest.param("'abc' | split(', ')", ["abc"], id="split where no separator is"),
        pytest.param("output | last_line", "last one", id="last_line"),
        pytest.param("'' | last_line", "", id="no last line"),
        pytest.param("' \n' | last_line | default('none')", "none", id="default behind last_line"),
        pytest.param("files | starting_with('old-')", ["old-a.csv"], id="starting_with"),
        pytest.param("files | ending_with('.csv')", ["a.csv", "old-a.csv"], id="ending_with"),
        pytest.param("files | containing('a')", ["a.csv", "old-a.csv"], id="containing"),
        pytest.param("files | containing('')", ["a.csv", "b.txt", "old-a.csv"], id="every text contains nothing"),
        pytest.param("empty | containing('a')", [], id="containing, of an empty list"),
        pytest.param("'old-a' | removeprefix('old-')", "a", id="removeprefix of a text"),
        pytest.param("'a' | removeprefix('old-')", "a", id="removeprefix where there is none"),
        pytest.param("files | removeprefix('old-') | unique", ["a.csv", "b.txt"], id="removeprefix of a list"),
        pytest.param("files | removesuffix('.csv')", ["a", "b.txt", "old-a"], id="removesuffix of a list"),
        pytest.param("'a.csv' | removesuffix('.csv')", "a", id="removesuffix of a text"),
        pytest.param("rows | map(attribute='key')", ["x", "y"], id="map"),
        pytest.param("empty | map(attribute='key')", [], id="map of an empty list"),
        pytest.param("rows | map(attribute='n') | sum", 3, id="sum"),
        pytest.param("empty | sum", 0, id="sum of nothing"),
        pytest.param("[hours(1), minutes(30)] | sum == minutes(90)", True, id="sum of lengths"),
        pytest.param("[3, 1, 2.5] | sort", [1, 2.5, 3], id="sort numbers"),
        pytest.param("['b', 'a'] | sort", ["a", "b"], id="sort texts"),
        pytest.param("empty | sort", [], id="sort nothing"),
        pytest.param("[days(1), hours(1)] | sort | first == hours(1)", True, id="sort lengths"),
        pytest.param("[2, 1, 2, 1] | unique", [2, 1], id="unique keeps the order"),
        pytest.param("[1, true, '1', none] | unique", [1, True, "1", None], id="unique tells types apart"),
        pytest.param("[rows[0], rows[0]] | unique | length", 1, id="unique maps"),
        pytest.param("[3, 1, 2] | min", 1, id="min"),
        pytest.param("[3, 1, 2] | max", 3, id="max"),
        pytest.param("[start, start + days(1)] | max - start == days(1)", True, id="max of times"),
        pytest.param("empty | max | default('none')", "none", id="default behind max"),
        pytest.param("empty | min | default('none')", "none", id="default behind min"),
        pytest.param("empty | first | default('none')", "none", id="default behind first"),
        pytest.param("empty | last | default('none')", "none", id="default behind last"),
        pytest.param("'' | first | default('none')", "none", id="default behind the first of no text"),
        pytest.param("empty | first is defined", False, id="there is no first"),
        pytest.param("2.5 | round", 3, id="round a half"),
        pytest.param("-2.5 | round", -3, id="round a negative half"),
        pytest.param("2.675 | round(2)", 2.68, id="round as it is written"),
        pytest.param("7 | round(2)", 7, id="round a whole number"),
        pytest.param("[1, 2, 3] | reverse", [3, 2, 1], id="reverse"),
        pytest.param("rows[0] | keys", ["key", "n"], id="keys"),
        pytest.param("rows[0] | values", ["x", 2], id="values"),
        pytest.param("{} | keys", [], id="keys of nothing"),
        pytest.param("['<b>', 'a & b'] | html_lines", "&lt;b&gt;<br>a &amp; b", id="html_lines"),
        pytest.param("empty | html_lines", "", id="html_lines of nothing"),
        pytest.param("'<@U1> & \"x\"' | slack_escape", '&lt;@U1&gt; &amp; "x"', id="slack_escape"),
        pytest.param("'*a* _b_ [c](d)' | markdown_escape", "\\*a\\* \\_b\\_ \\[c\\]\\(d\\)", id="markdown_escape"),
        pytest.param("'plain text' | markdown_escape", "plain text", id="nothing to escape"),
        pytest.param('(\'{"a": 1, "a": 2}\' | parse_json).a', 2, id="a name that comes twice"),
        pytest.param("'7' | int + 3.9 | int", 10, id="int"),
        pytest.param("files | length + rows[0] | length", 5, id="length"),
    ],
)
def test_values(source: str, value: Any) -> None:
    assert evaluate(source) == value


@pytest.mark.parametrize(
    ("source", "message"),
    [
        pytest.param("empty | first", "has no value: there is no `first` of an empty list", id="first of nothing"),
        pytest.param("empty | last | upper", "there is no `last` of an empty list", id="a filter behind nothing"),
        pytest.param("(empty | max) + 1", "there is no `max` of an empty list", id="arithmetic behind nothing"),
        pytest.param("secret | parse_json", "the text is not JSON (line 1, column 1)", id="no JSON"),
        pytest.param("'[NaN]' | parse_json", "it has no NaN and no Infinity", id="NaN"),
        pytest.param("'[-Infinity]' | parse_json", "it has no NaN and no Infinity", id="Infinity"),
        pytest.param("files | parse_json", "`parse_json` takes a text", id="a list as JSON"),
        pytest.param("secret | int", "`int` takes a whole number or the text of one", id="int"),
        pytest.param("'nan' | float", "`float` takes a number or the text of one", id="float"),
        pytest.param("secret | split(secret | replace(secret, ''))", "separator that is not empty", id="no separator"),
        pytest.param("secret | starting_with('h')", "`starting_with` takes a list", id="a text for a list"),
        pytest.param("rows | map(attribute='z')", "maps that all have the field", id="no such field"),
        pytest.param("files | map(attribute='z')", "maps that all have the field", id="no maps"),
        pytest.param("rows | sort", "`sort` takes a list of numbers, texts, times", id="sort maps"),
        pytest.param("[1, secret] | sort", "`sort` takes items of one kind", id="sort what cannot be compared"),
        pytest.param("[true, false] | max", "`max` takes a list of numbers", id="max of booleans"),
        pytest.param("files | sum", "`sum` takes a list of numbers or of lengths of time", id="sum of texts"),
        pytest.param("[days(1), months(1)] | max", "cannot be compared", id="max of months and days"),
        pytest.param("secret | round", "`round` takes a number", id="round a text"),
        pytest.param("files | keys", "`keys` takes a map", id="keys of a list"),
        pytest.param("3 | length", "`length` takes a text, a list or a map", id="length of a number"),
        pytest.param("long | replace('', long)", "`replace` yields more than 1,048,576 characters", id="i04-replace"),
        pytest.param("(long | replace('x', 'x\n') | lines) | join(long)", "`join` yields more", id="i04-join"),
        pytest.param("gone | html_lines", "'gone' is undefined", id="no value"),
    ],
)
def test_refused_in_words_that_quote_no_value(source: str, message: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        evaluate(source)
    assert message in str(refused.value)
    assert "hidden" not in str(refused.value)


def test_json_that_is_nested_deeply_is_refused() -> None:
    parsed = parse("text | parse_json")
    assert isinstance(parsed, Parsed)
    with pytest.raises(ExpressionError, match=r"nested too deeply|not JSON"):
        parsed.evaluate({"text": "[" * 200_000})


@given(st.lists(st.text()))
def test_no_text_becomes_markup_but_the_line_breaks(texts: list[str]) -> None:
    shown = html_lines(texts)
    assert isinstance(shown, Markup)
    assert shown.replace("<br>", "").count("<") == 0
    assert shown.count("<br>") == max(0, len(texts) - 1)


@given(st.lists(st.text("ab ,"), max_size=5).map(",".join))
def test_parts_of_a_text_have_neither_blanks_nor_separators(text: str) -> None:
    assert all(part == part.strip() and part and "," not in part for part in split(text, ","))


@given(st.lists(st.integers(-3, 3) | st.booleans() | st.text("ab", max_size=2) | st.lists(st.integers(0, 1))))
def test_unique_keeps_one_of_each(values: list[Any]) -> None:
    once = unique(values)
    assert unique(once) == once
    assert all(value in once for value in values)


@given(st.lists(st.integers() | st.floats(allow_nan=False)))
def test_sort_agrees_with_python(numbers: list[float]) -> None:
    assert sort(numbers) == sorted(numbers)


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(0, 15))
def test_round_is_near_and_idempotent(number: float, digits: int) -> None:
    near = rounded(number, digits)
    assert rounded(near, digits) == near
    assert abs(near - number) <= 0.5000001 * 10.0**-digits + abs(number) * 1e-15
