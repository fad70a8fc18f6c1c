"""What conditions can come to, held against trying out every state that a run can be in."""

from itertools import product

import pytest

from flowmill.expressions.language import Parsed, parse
from flowmill.lint.truth import Known, possible_values
from flowmill.planning.plan import ParameterPlan

PARAMETERS = {
    "mode": ParameterPlan("mode", "string", choices=("full", "changes")),
    "days": ParameterPlan("days", "integer", minimum=1, maximum=31),
    "dry": ParameterPlan("dry", "boolean"),
}
CONSTANTS = {"environment": "staging", "vars": {"full": True, "tables": ["trips", "stops"]}}
EVERYTHING = Known(CONSTANTS, PARAMETERS)
TRUE, FALSE, BOTH = frozenset({True}), frozenset({False}), frozenset({True, False})


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("success()", BOTH),
        ("success() and failure()", FALSE),
        ("success() or failure()", TRUE),
        ("always()", TRUE),
        ("not always()", FALSE),
        ("parameters.dry", BOTH),
        ("parameters.dry and not parameters.dry", FALSE),
        ("vars.full", TRUE),
        ("not vars.full or failure()", BOTH),
        ("environment == 'production'", FALSE),
        ("environment in ['staging', 'production']", TRUE),
        ("'trips' in vars.tables", TRUE),
        ("'trips' not in vars.tables", FALSE),
        ("parameters.mode == 'full'", BOTH),
        ("parameters.mode == 'delta'", FALSE),
        ("parameters.mode in ['delta', 'none']", FALSE),
        ("parameters.mode in ['delta', 'full']", BOTH),
        ("parameters.mode != 'delta'", BOTH),
        ("parameters.days == 0", FALSE),
        ("parameters.days == '7'", FALSE),
        ("parameters.days == true", FALSE),
        ("parameters.days > 40", BOTH),
        ("steps.load.state == 'failed'", BOTH),
        ("steps.load.state == 'succeeded'", FALSE),
        ("run.start.day == 31", BOTH),
        ("vars.full == parameters.dry", BOTH),
        ("vars.tables | length > 5", BOTH),
        ("vars.full > 'text'", BOTH),
        ("vars.nothing", BOTH),
        ("(((", BOTH),
        (" and ".join(f"parameters.p{index}" for index in range(12)), BOTH),
    ],
)
def test_what_a_condition_can_come_to(source: str, expected: frozenset[bool]) -> None:
    assert possible_values(source, EVERYTHING) == expected


@pytest.mark.parametrize(
    ("can_fail", "can_succeed", "expected"), [(False, True, FALSE), (True, False, TRUE), (True, True, BOTH)]
)
def test_where_nothing_can_have_failed_failure_is_false(
    can_fail: bool, can_succeed: bool, expected: frozenset[bool]
) -> None:
    assert possible_values("failure()", Known({}, {}, can_fail, can_succeed)) == expected


CONDITIONS = [
    f"{left} {word} {right}"
    for left, right in product(
        ("failure()", "not parameters.dry", "parameters.mode == 'full'", "parameters.days == 9"), repeat=2
    )
    for word in ("and", "or", "and not")
]


@pytest.mark.parametrize("source", CONDITIONS)
def test_nothing_is_called_impossible_that_some_run_comes_to(source: str) -> None:
    parsed = parse(source)
    assert isinstance(parsed, Parsed)
    runs = product((True, False), ("full", "changes"), (1, 9, 31), (True, False))
    reached = {
        parsed.evaluate(
            {
                "parameters": {"dry": dry, "mode": mode, "days": days},
                "failure": lambda failed=failed: failed,
                "success": lambda failed=failed: not failed,
            }
        )
        for dry, mode, days, failed in runs
    }
    assert possible_values(source, EVERYTHING) == reached
