"""Equal plans have equal digests, different ones do not, and a field that nobody uses changes none."""

import random
from dataclasses import dataclass, field, make_dataclass, replace
from typing import Any

import pytest

from flowmill.planning.digest import _content, digest_of, plan_digest
from flowmill.planning.plan import ConcurrencyPlan, ElementsPlan, ParameterPlan, Plan, SchedulePlan
from support.conducted import plan, step

PLAN = plan([step("a"), step("b", ["a"], retries=2, config={"command": "true"})], last_success="1970-01-01")


def test_the_digest_of_data_is_that_of_its_canonical_json() -> None:
    # printf '{"a":"\\u00e4","b":[1,null]}' | sha256sum
    assert digest_of({"b": [1, None], "a": "ä"}) == "847d613442ae70ec"


def test_a_digest_stays_what_it_was() -> None:
    """A deployment carries it: whatever changes this line makes every deployment look changed."""
    assert plan_digest(PLAN) == "010df303e6bb7345"


def test_where_the_spec_lies_does_not_count() -> None:
    assert plan_digest(replace(PLAN, spec_path="elsewhere/job.yml")) == plan_digest(PLAN)


def with_parameter(default: Any) -> Plan:
    return replace(PLAN, parameters=(ParameterPlan("x", "string", default=default),))


def with_step(**keys: Any) -> Plan:
    return replace(PLAN, steps=(replace(PLAN.steps[0], **keys), *PLAN.steps[1:]))


def over(foreach: Any, matrix: Any = None) -> Plan:
    return with_step(elements=ElementsPlan(foreach, matrix, 1, True))


ANOTHER = [
    replace(PLAN, description="x"),
    replace(PLAN, last_success=None),
    replace(PLAN, last_success=""),
    replace(PLAN, queue=""),
    replace(PLAN, tags=("",)),
    replace(PLAN, concurrency=ConcurrencyPlan(1, "queue")),
    replace(PLAN, schedules=(SchedulePlan("a", "5 * * * *", "UTC", {}, False),)),
    replace(PLAN, schedules=(SchedulePlan("a", "5 * * * *", "UTC", {"x": None}, False),)),
    replace(PLAN, schedules=(SchedulePlan("a", "5 * * * *", "UTC", {}, True),)),
    replace(PLAN, constants={**PLAN.constants, "vars": {}}),
    replace(PLAN, constants={**PLAN.constants, "vars": {"x": None}}),
    replace(PLAN, steps=PLAN.steps[::-1]),
    *map(with_parameter, [None, False, 0, "", [], {}, "x"]),
    *(with_step(config=config) for config in [{"x": None}, {"x": ""}, {"x": []}, {"x": False}, {"x": 0}]),
    with_step(env={"X": ""}),
    with_step(condition=""),
    with_step(timeout=0),
    with_step(continue_on_error=True),
    *map(over, ["", [], False]),
    over(None, {}),
]


def test_no_two_plans_that_differ_have_one_digest() -> None:
    digests = [plan_digest(it) for it in [PLAN, *ANOTHER]]
    assert len(set(digests)) == len(digests)


def test_the_order_of_keys_does_not_count() -> None:
    names = list(PLAN.constants)
    random.Random(1).shuffle(names)
    assert plan_digest(replace(PLAN, constants={name: PLAN.constants[name] for name in names})) == plan_digest(PLAN)


@dataclass(frozen=True)
class Old:
    name: str
    texts: tuple[str, ...] = ()


NEW_FIELDS: list[tuple[str, Any, Any]] = [
    ("note", str, field(default="")),
    ("limit", int | None, field(default=None)),
    ("number", int, field(default=3)),
    ("is_on", bool, field(default=True)),
    ("data", dict[str, Any], field(default_factory=dict)),
]


@pytest.mark.parametrize("new", NEW_FIELDS, ids=[name for name, _, _ in NEW_FIELDS])
def test_a_new_field_that_holds_its_default_leaves_the_digest_alone(new: tuple[str, Any, Any]) -> None:
    later = make_dataclass("Later", [new], bases=(Old,), frozen=True)
    assert digest_of(_content(later("x"))) == digest_of(_content(Old("x")))


def test_a_new_flag_that_is_on_by_default_counts_where_it_is_off() -> None:
    later = make_dataclass("Later", [("is_on", bool, field(default=True))], bases=(Old,), frozen=True)
    assert digest_of(_content(later("x", is_on=False))) != digest_of(_content(Old("x")))
