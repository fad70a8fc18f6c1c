"""An expression that cannot be read is told at the word that is wrong, with what was meant where that is known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowmill.expressions.language import parse
from flowmill.expressions.problem import Problem

READ = "cannot be read as an expression: "


def problems(source: str) -> tuple[Problem, ...]:
    found = parse(source)
    assert isinstance(found, tuple)
    return found


@pytest.mark.parametrize(
    ("source", "word", "hint", "mended"),
    [
        pytest.param("a == 1 && b", "&&", "write `and`", "a == 1 and b", id="and"),
        pytest.param("a||b", "||", "write `or`", "a or b", id="or, without spaces"),
        pytest.param("a === b", "===", "write `==`", "a == b", id="JavaScript's equality"),
        pytest.param("a !== b", "!==", "write `!=`", "a != b", id="JavaScript's inequality"),
        pytest.param("a <> b", "<>", "write `!=`", "a != b", id="SQL's inequality"),
        pytest.param("!failure()", "!", "write `not`", "", id="not, which binds otherwise"),
        pytest.param("a ? 1 : 2", "?", "write `this if condition else that`", "", id="conditional"),
    ],
)
def test_operators_of_other_languages(source: str, word: str, hint: str, mended: str) -> None:
    (problem,) = problems(source)
    start, end = problem.part.start, problem.part.end
    assert (source[start:end], problem.message) == (word, f"`{word}` is no operator of expressions")
    assert problem.hint == hint
    assert (source[:start] + problem.instead + source[end:] if problem.instead else "") == mended


def test_each_of_several_operators_is_told() -> None:
    assert [it.part.start for it in problems("a && '&&' == b || c")] == [2, 15]


@pytest.mark.parametrize(
    ("source", "marked", "message"),
    [
        pytest.param("a b", "b", READ + "expected its end, got `b`", id="two values"),
        pytest.param("a == == b", "==", READ + "unexpected `==`", id="two operators"),
        pytest.param("f(x,,y)", ",", READ + "unexpected `,`", id="a comma too many"),
        pytest.param("a = b", "=", READ + "expected its end, got `=`", id="an assignment"),
        pytest.param("a # b", "#", READ + "`#` has no meaning in it", id="a character"),
        pytest.param("a | x('b", "'b", "this text is never closed", id="an open text"),
        pytest.param("(a + (b)", "(", "`(` is never closed in this expression", id="an open bracket"),
        pytest.param("a['b')", ")", "`)` closes nothing in this expression", id="another bracket"),
        pytest.param("a and", "a and", READ + "it ends too early", id="its end"),
        pytest.param("a |", "a |", READ + "expected `name`, got its end", id="a filter without a name"),
        pytest.param("'a && b' c", "c", READ + "expected its end, got `c`", id="operators within a text"),
    ],
)
def test_the_word_that_is_wrong_is_marked(source: str, marked: str, message: str) -> None:
    (problem,) = problems(source)
    assert (source[problem.part.start : problem.part.end], problem.message) == (marked, message)


@given(st.text(alphabet="ab .|&!=<>?()[]{}'\"\\,:1+-~%#\n\r\t", max_size=30))
def test_whatever_is_written_is_marked_within_it(source: str) -> None:
    found = parse(source)
    for problem in found if isinstance(found, tuple) else ():
        assert 0 <= problem.part.start <= problem.part.end <= len(source)
        assert problem.part.start < problem.part.end or not source
