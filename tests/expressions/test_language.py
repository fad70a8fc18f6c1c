"""What an expression can do, and what it cannot."""

import resource
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest

from flowmill.expressions.language import ExpressionError, Parsed, parse
from flowmill.expressions.problem import Problem
from support.waiting import PATIENCE

START = datetime(2026, 4, 3, 7, 59, tzinfo=UTC)
SCOPE: dict[str, Any] = {
    "run": {"start": START},
    "vars": {"n": 3, "items": ["a", "b"], "name": "x", "flag": True},
    "secrets": {"a b": {"c": "hidden"}},
}


def evaluate(source: str) -> Any:
    parsed = parse(source)
    assert isinstance(parsed, Parsed), parsed
    return parsed.evaluate(SCOPE)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        pytest.param("vars.n + 1", 4, id="arithmetic"),
        pytest.param("vars.n > 2 and vars.flag", True, id="conditions"),
        pytest.param("'full' if vars.flag else 'part'", "full", id="inline if"),
        pytest.param("vars.name ~ '-' ~ vars.n", "x-3", id="joining with ~"),
        pytest.param("vars.items | join(',')", "a,b", id="filter with an argument"),
        pytest.param("vars.items[0]", "a", id="index"),
        pytest.param("secrets['a b'].c", "hidden", id="key with a space"),
        pytest.param("(run.start - days(1)) | date('%Y-%-m-%-d-%-H')", "2026-4-2-7", id="unpadded date"),
        pytest.param("(run.start + hours(2)) | date('%Y-%m-%d %H:%M')", "2026-04-03 09:59", id="padded date"),
        pytest.param("(run.start | in_zone('America/Chicago')) | date('%H:%M')", "02:59", id="other zone"),
        pytest.param("run.start.year", 2026, id="part of a time"),
        pytest.param("'{\"a\": [1]}' | parse_json", {"a": [1]}, id="parsed JSON"),
        pytest.param("missing_key is defined", False, id="a test on a name that is missing"),
        pytest.param("vars.gone | default('d')", "d", id="default of a missing key"),
        pytest.param("'a\\nb\\n' | lines | length", 2, id="lines"),
        pytest.param("'<b>' | escape", "&lt;b&gt;", id="escape"),
    ],
)
def test_values(source: str, value: Any) -> None:
    assert evaluate(source) == value


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("cycler.__init__.__globals__.os.popen('id').read()", id="i03-globals-by-cycler"),
        pytest.param("''.__class__.__mro__[1].__subclasses__()", id="i03-subclasses"),
        pytest.param("'x' * 10**9", id="i04-power"),
        pytest.param("'{0.__class__}'.format(vars)", id="i05-str-format"),
        pytest.param("vars.items.append('c')", id="method call"),
        pytest.param("range(10)", id="function that is not ours"),
        pytest.param("vars.n | attr('__class__')", id="filter that is not ours"),
        pytest.param("lipsum()", id="jinja's own global"),
        pytest.param("a }}{% for x in y %}{{ x", id="a statement smuggled in"),
        pytest.param("", id="empty"),
        pytest.param("a b", id="two expressions"),
        pytest.param("(" * 500 + "1" + ")" * 500, id="nested too deeply"),
        pytest.param("1 + " * 900 + "1", id="too long"),
    ],
)
def test_refused_when_it_is_read(source: str) -> None:
    found = parse(source)
    assert isinstance(found, tuple)
    assert all(isinstance(problem, Problem) for problem in found)


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("'x' * 1000", id="i04-repetition"),
        pytest.param("vars.items * 1000", id="i04-repetition-of-a-list"),
        pytest.param("'%1000000000d' % 1", id="i04-percent-formatting"),
        pytest.param("vars.__class__", id="i03-attribute-of-a-map"),
        pytest.param("vars.name.__class__", id="i03-attribute-of-a-text"),
        pytest.param("vars.items.append", id="i03-method-as-a-value"),
        pytest.param("run.start.__class__", id="i03-attribute-of-a-time"),
        pytest.param("vars.gone", id="missing key"),
        pytest.param("vars.name | int", id="a filter that does not fit"),
        pytest.param("vars.n / 0", id="division by zero"),
    ],
)
def test_refused_when_it_is_evaluated(source: str) -> None:
    with pytest.raises(ExpressionError):
        evaluate(source)


def test_an_error_does_not_quote_a_value() -> None:
    with pytest.raises(ExpressionError) as failed:
        evaluate("secrets['a b'].c | int")
    assert "hidden" not in str(failed.value)


def test_i04_a_hostile_expression_takes_no_memory() -> None:
    program = "from flowmill.expressions.language import parse\nparse(\"'x' * 999999999\").evaluate({})\n"
    limit = 1 << 30

    def bounded() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    found = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        preexec_fn=bounded,
        check=False,
    )
    assert "ExpressionError" in found.stderr
    assert "MemoryError" not in found.stderr


def test_a_name_is_found_in_the_source_for_its_diagnostic() -> None:
    source = " vars.n + steps . extrct.stdout "
    parsed = parse(source)
    assert isinstance(parsed, Parsed)
    place = parsed.place(("steps", "extrct"))
    assert source[place.start : place.end] == "extrct"
