"""What runs, what is skipped, and what a run's state is: every combination, and random graphs, against a model."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowmill.running.outcome import State
from support import model_of_a_run as model
from support.conducted import Ends, conducted, over, plan, step
from support.truth_table import CONDITIONS, ENDS, Row, rows

BEFORE: dict[str, list[model.Step]] = {
    "has succeeded": [model.Step("before")],
    "has failed": [model.Step("before", fails=True)],
    "has timed out": [model.Step("before", fails=True)],
    "has failed, with `continue_on_error`": [model.Step("before", fails=True, allowed=True)],
    "was skipped by its own `if`": [model.Step("before", condition="environment == 'production'")],
    "was skipped, for one before it has failed": [
        model.Step("first", fails=True),
        model.Step("before", ("first",)),
    ],
    "has succeeded, after one before it has failed": [
        model.Step("first", fails=True),
        model.Step("before", ("first",), condition="always()"),
    ],
    "was left out by `--only` or `--from`": [model.Step("before", condition="environment == 'production'")],
}
"""The same situations in the model's words."""


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row.before}-{row.condition}-{row.end}")
def test_every_combination_ends_as_the_model_says(row: Row) -> None:
    state, allowed = ENDS[row.end]
    last = model.Step("last", ("before",), state is State.FAILED, allowed, CONDITIONS[row.condition])
    steps = [*BEFORE[row.before], last]
    assert row.state.value == model.states(steps)["last"]
    assert row.run_failed == model.run_fails(steps)


def test_a_failure_is_never_hidden_by_what_runs_after_it() -> None:
    ends = Ends({"first": State.FAILED})
    steps = [
        step("first"),
        step("rescue", ["first"], condition="failure()"),
        step("tidy", ["rescue"], condition="always()"),
        step("next", ["tidy"]),
    ]
    outcome, run = conducted(plan(steps), ends)
    assert ends.started == ["first", "rescue", "tidy"]
    assert run.outcomes["next"].message == "skipped because `first` failed"
    assert outcome.failure
    assert outcome.failure.step == "first"


@st.composite
def graphs(draw: st.DrawFn) -> list[model.Step]:
    steps: list[model.Step] = []
    for number in range(draw(st.integers(1, 8))):
        earlier = [other.id for other in steps]
        needs = draw(st.lists(st.sampled_from(earlier), unique=True, max_size=3)) if earlier else []
        outcomes = st.builds(model.Element, st.booleans())
        steps.append(
            model.Step(
                id=f"s{number}",
                needs=tuple(needs),
                fails=draw(st.booleans()),
                allowed=draw(st.booleans()),
                condition=draw(st.sampled_from(list(model.CONDITIONS))),
                elements=draw(st.none() | st.lists(outcomes, max_size=4).map(tuple)),
                fail_fast=draw(st.booleans()),
            )
        )
    return steps


def as_plan(steps: list[model.Step], **keys: Any) -> Any:
    def elements(it: model.Step) -> Any:
        return None if it.elements is None else over(list(range(len(it.elements))), fail_fast=it.fail_fast)

    return plan(
        [
            step(it.id, it.needs, condition=it.condition, continue_on_error=it.allowed, elements=elements(it))
            for it in steps
        ],
        **keys,
    )


def told(steps: list[model.Step]) -> Iterator[tuple[str, State]]:
    """How each task is told to end, by its label."""
    for it in steps:
        for number, element in enumerate(it.elements or ()):
            yield f"{it.id}[{number}]", State.FAILED if element.fails else State.SUCCESS
        yield it.id, State.FAILED if it.fails else State.SUCCESS


HANDLERS = ("on_failure", "on_success", "finally_")


@settings(max_examples=400, deadline=None)
@given(steps=graphs(), pauses=st.integers(0, 3), handlers=st.dictionaries(st.sampled_from(HANDLERS), st.booleans()))
def test_random_graphs_end_as_the_model_says(steps: list[model.Step], pauses: int, handlers: dict[str, bool]) -> None:
    """Whatever the graph, the conditions, the lists, and the handlers, which may fail too."""
    made = as_plan(steps, **{name: [step(name), step(f"{name}2", condition="failure()")] for name in handlers})
    failing = {name: State.FAILED for name, fails in handlers.items() if fails}
    ends = Ends({**dict(told(steps)), **failing}, pauses)
    outcome, run = conducted(made, ends)

    expected = model.states(steps)
    assert {it.id: run.outcomes[it.id].state.value for it in steps} == expected
    assert bool(outcome.failure) == model.run_fails(steps)
    called = {"on_failure" if outcome.failure else "on_success", "finally_"} & handlers.keys()
    assert {name for name in HANDLERS if name in ends.started} == called
    assert {name for name in HANDLERS if f"{name}2" in ends.started} == (called if outcome.failure else set())
    for it in steps:
        ran = sum(label.startswith(f"{it.id}[") for label in ends.started)
        may_run = it.elements is not None and bool(it.elements) and expected[it.id] != "skipped"
        if may_run and model.CONDITIONS[it.condition](model.failed_before(it, steps, expected)):
            assert ran == model.elements_that_run(it)
