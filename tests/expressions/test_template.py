"""Text with expressions, taken apart and put together again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowmill.expressions.template import Expression, Unclosed, join, split


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        pytest.param("plain", ("plain",), id="no expression"),
        pytest.param("", ("",), id="empty"),
        pytest.param("${{ a }}", (Expression(" a ", 3),), id="one expression alone"),
        pytest.param("x-${{ a }}-y", ("x-", Expression(" a ", 5), "-y"), id="in the middle"),
        pytest.param("${{a}}${{b}}", (Expression("a", 3), Expression("b", 9)), id="two in a row"),
        pytest.param("$${{ a }}", ("${{ a }}",), id="escaped"),
        pytest.param("$$${{ a }}", ("$${{ a }}",), id="escaped behind a dollar"),
        pytest.param("${{ '}}' }}", (Expression(" '}}' ", 3),), id="closing braces inside a text"),
        pytest.param('${{ "a\\"}}" }}', (Expression(' "a\\"}}" ', 3),), id="escaped quote inside a text"),
        pytest.param("{{ a }} ${HOME} $(x)", ("{{ a }} ${HOME} $(x)",), id="other tools' syntax is left alone"),
    ],
)
def test_split(text: str, pieces: tuple[object, ...]) -> None:
    assert split(text) == pieces


@pytest.mark.parametrize("text", ["${{ a", "x ${{ a }"])
def test_an_expression_that_is_not_closed_is_told_with_its_place(text: str) -> None:
    found = split(text)
    assert isinstance(found, Unclosed)
    assert text[found.part.start :].startswith("${{")


@given(st.text(alphabet="ab ${}'\"\\", max_size=30))
def test_join_undoes_split(text: str) -> None:
    pieces = split(text)
    if not isinstance(pieces, Unclosed):
        assert split(join(pieces)) == pieces
