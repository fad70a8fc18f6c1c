"""Arguments that are wrong whatever the run brings are found when the spec is validated."""

import pytest

from flowmill.expressions.language import Parsed, parse


@pytest.mark.parametrize(
    ("source", "place", "message", "hint"),
    [
        pytest.param(
            "run.start | floor('mnth')", "mnth", "`floor` knows no such unit, only minute, hour, day, week, month, "
            "quarter, year: `mnth`", "did you mean `month`?", id="unit",
        ),
        pytest.param(
            'run.start | floor( unit = "mnth")', "mnth", "`floor` knows no such unit, only minute, hour, day, week, "
            "month, quarter, year: `mnth`", "did you mean `month`?", id="named argument",
        ),
        pytest.param(
            "run.start | date('%Q')", "%Q", "`date` knows no code `%Q`", "a percent sign itself is written `%%`",
            id="code",
        ),
        pytest.param(
            "run.start | date('at %F')", "at %F", "`date` knows no code `%F`: `at %F`", "write `%Y-%m-%d`",
            id="code of another platform",
        ),
        pytest.param(
            "run.start | in_zone('Europe/Berln')", "Europe/Berln", "there is no such time zone: `Europe/Berln`",
            "did you mean `Europe/Berlin`?", id="zone",
        ),
        pytest.param(
            "'2026-01-01' | time('Mars/X')", "Mars/X", "there is no such time zone: `Mars/X`",
            "use a name such as `America/Chicago`, `Europe/Berlin` or `UTC`", id="zone of a text",
        ),
        pytest.param(
            "run.start - months('x')", "x", "`months` takes a number: `x`",
            "a text becomes one with `| int` or `| float`", id="months of a text",
        ),
        pytest.param("run.start - months(1.5)", "1.5", "`months` takes a whole number: `1.5`", "", id="half a month"),
        pytest.param("run.start - days(1e300)", "days", "a length of time has at most 10,000 years: `1e+300`", "",
                     id="too long"),
        pytest.param("1.5 | round(99)", "99", "`round` takes 0 to 15 digits: `99`", "", id="digits"),
        pytest.param("'a' | split('')", "split", "`split` needs a separator that is not empty",
                     "write `| lines` for the lines of a text", id="no separator"),
        pytest.param("run.start | floor", "floor", "`floor`: missing a required argument: `unit`",
                     "write `| floor(unit)`", id="no argument"),
        pytest.param("vars.t | replace('a')", "replace", "`replace`: missing a required argument: `new`",
                     "write `| replace(old, new)`", id="one argument of two"),
        pytest.param("vars.t | upper(1)", "upper", "`upper`: too many positional arguments", "write `| upper`",
                     id="an argument where none is"),
        pytest.param("vars.t | map('upper')", "map", "`map`: too many positional arguments",
                     "write `| map(attribute=…)`", id="another form of map"),
        pytest.param("days()", "days", "`days`: missing a required argument: `count`", "write `days(count)`",
                     id="a function without its argument"),
    ],
)  # fmt: skip
def test_found_when_it_is_read(source: str, place: str, message: str, hint: str) -> None:
    found = parse(source)
    assert isinstance(found, tuple)
    [problem] = found
    assert (problem.code, problem.message, problem.hint) == ("bad-expression", message, hint)
    assert source[problem.part.start : problem.part.end] == place


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("run.start | floor(vars.unit)", id="a unit that is a value"),
        pytest.param("run.start | date", id="the default"),
        pytest.param("run.start | date('%d') ~ '%Q'", id="a code elsewhere"),
        pytest.param("run.start | in_zone('UTC')", id="a zone that exists"),
        pytest.param("months(vars.n)", id="a number that is a value"),
        pytest.param("days(-1)", id="a negative number"),
        pytest.param("vars.t | replace(*vars.pair)", id="arguments from a list"),
        pytest.param("vars.t | default", id="an optional argument left out"),
    ],
)
def test_nothing_to_find(source: str) -> None:
    assert isinstance(parse(source), Parsed)
