"""Values for expressions: folded when a flow is compiled, rendered when it runs."""

from datetime import UTC, datetime
from typing import Any

import pytest

from flowmill.expressions.language import ExpressionError
from flowmill.expressions.render import fold, marked, render
from flowmill_tasks.email import Email
from flowmill_tasks.fields import Folded, Rendered, Unrendered

as_html = Email.escaper("html", {})
KNOWN: dict[str, Any] = {"environment": "staging", "vars": {"n": 3, "braces": "${{ run.id }}", "list": ["a", 1]}}
RUN = {**KNOWN, "run": {"id": "r1"}, "parameters": {"p": "v", "none": None}, "secrets": {"mail": {"port": 25}}}


def folded(value: Any) -> Any:
    return fold(value, KNOWN, lambda path: None)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("x:${{ environment }}", "x:staging", id="known now"),
        pytest.param("${{ vars.n }}", 3, id="alone it keeps its type"),
        pytest.param("n=${{ vars.n }}", "n=3", id="in a text it is text"),
        pytest.param("${{ vars.list }}", ["a", 1], id="a list"),
        pytest.param("${{ run.id }}-${{ environment }}", "${{ run.id }}-staging", id="only half of it known"),
    ],
)
def test_fold(text: str, value: Any) -> None:
    assert folded(text) == value


def test_marks_tell_what_is_settled_and_what_is_not() -> None:
    assert isinstance(folded("${{ environment }}"), Folded)
    assert isinstance(folded("${{ run.id }}"), Unrendered)


@pytest.mark.parametrize(
    ("text", "at_the_end"),
    [
        pytest.param("$${{ run.id }}", "${{ run.id }}", id="escaped by the author"),
        pytest.param("${{ vars.braces }}", "${{ run.id }}", id="in the value of a constant"),
        pytest.param("${{ vars.braces }}/${{ run.id }}", "${{ run.id }}/r1", id="beside an expression"),
    ],
)
def test_a_literal_opening_is_never_evaluated_by_the_run(text: str, at_the_end: str) -> None:
    """From the spec through the plan's JSON, which keeps no marks, to the run."""
    in_the_plan = str(folded(text))
    assert render(marked(in_the_plan), RUN) == at_the_end


def test_a_whole_map_keeps_its_shape_and_its_texts_are_marked() -> None:
    value = render(Unrendered("${{ secrets.mail }}"), RUN)
    assert value == {"port": 25}
    assert isinstance(render(Unrendered("${{ parameters.p }}"), RUN), Rendered)


def test_null_is_no_value() -> None:
    with pytest.raises(ExpressionError, match="null"):
        render(Unrendered("${{ parameters.none }}"), RUN)


def test_i12_results_are_escaped_for_html_and_the_author_s_own_text_is_not() -> None:
    scope = {"parameters": {"p": "<img onerror=x>"}}
    assert render(Unrendered("<p>${{ parameters.p }}</p>"), scope, escape=as_html) == "<p>&lt;img onerror=x&gt;</p>"


def test_lines_made_for_html_are_escaped_once_and_only_as_a_whole() -> None:
    scope = {"parameters": {"p": "<img>\n<b>"}}
    whole, part = "parameters.p | lines | html_lines", "parameters.p | lines | html_lines ~ '<i>'"
    text = Unrendered(f"<p>${{{{ {whole} }}}} ${{{{ {part} }}}}</p>")
    escaped_again = "&amp;lt;img&amp;gt;&lt;br&gt;&amp;lt;b&amp;gt;&lt;i&gt;"
    assert render(text, scope, escape=as_html) == f"<p>&lt;img&gt;<br>&lt;b&gt; {escaped_again}</p>"


@pytest.mark.parametrize(
    ("source", "text"),
    [
        pytest.param("start", "2026-04-03T07:59:00+00:00", id="a time"),
        pytest.param("hours(36)", "PT36H", id="a length of time"),
        pytest.param("[start, days(1)] | json", '["2026-04-03T07:59:00+00:00", "P1D"]', id="inside of JSON"),
    ],
)
def test_times_and_lengths_become_text(source: str, text: str) -> None:
    scope = {"start": datetime(2026, 4, 3, 7, 59, tzinfo=UTC)}
    whole = render(Unrendered(f"${{{{ {source} }}}}"), scope)
    assert whole == text
    assert isinstance(whole, Rendered)
    assert render(Unrendered(f"at ${{{{ {source} }}}}"), scope) == f"at {text}"


def test_a_list_in_a_text_shows_its_times_in_iso_8601() -> None:
    scope = {"start": datetime(2026, 4, 3, 7, 59, tzinfo=UTC)}
    assert render(Unrendered("at ${{ [start] }}"), scope) == 'at ["2026-04-03T07:59:00+00:00"]'


def test_what_a_value_holds_is_not_evaluated_again() -> None:
    scope = {"parameters": {"p": "${{ run.id }}"}, "run": {"id": "r1"}}
    assert render(Unrendered("${{ parameters.p }}"), scope) == "${{ run.id }}"
