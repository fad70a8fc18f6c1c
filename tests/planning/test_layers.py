"""Which value wins, and whose place it keeps."""

from typing import Any

import pytest

from flowmill.layers import Override, flow_layer, overrides, stack, standing_at, unknown_defaults, with_step_defaults
from flowmill.reading.parse import parse_tree
from flowmill.reading.source import Source
from flowmill.reading.tree import Tree

TYPES = ("docker", "script")


def tree(text: str, path: str = "flow.yaml") -> Tree:
    found = parse_tree(Source(path, text))
    assert isinstance(found, Tree), found
    return found


@pytest.mark.parametrize(
    ("below", "above", "merged"),
    [
        pytest.param("a: 1", "b: 2", {"a": "1", "b": "2"}, id="different keys are both there"),
        pytest.param("a: 1", "a: 2", {"a": "2"}, id="the nearer value wins"),
        pytest.param("a: {x: 1, y: 1}", "a: {y: 2}", {"a": {"x": "1", "y": "2"}}, id="maps merge"),
        pytest.param("a: {x: {p: 1}}", "a: {x: {q: 2}}", {"a": {"x": {"p": "1", "q": "2"}}}, id="deeply"),
        pytest.param("a: [1, 2]", "a: [3]", {"a": ["3"]}, id="lists replace"),
        pytest.param("a: {x: 1}", "a: text", {"a": "text"}, id="text replaces a map"),
        pytest.param("a: 1", "a: null", {"a": None}, id="null takes a value away"),
    ],
)
def test_stack(below: str, above: str, merged: dict[str, Any]) -> None:
    assert stack([None, tree(below), None, tree(above)]).plain() == merged


def test_every_value_keeps_the_place_in_the_file_that_set_it() -> None:
    merged = stack([tree("a: 1\nb: 2\n", "project.yaml"), tree("b: 3\n", "flow.yaml")])
    assert (merged.span(("a",)).path, merged.span(("b",)).path) == ("project.yaml", "flow.yaml")


def test_what_is_missing_is_missing_in_the_flow() -> None:
    flow = tree("b: 3\n", "flow.yaml")
    merged = standing_at(stack([tree("a: 1\n", "project.yaml"), flow]), flow)
    assert merged.span(("server",)).path == "flow.yaml"


def test_defaults_for_steps_lie_under_those_of_their_type_only() -> None:
    flow = tree(
        "defaults: {all: {retries: 1}, docker: {pull: missing, retries: 2}}\n"
        "steps:\n- {id: a, type: docker}\n- {id: b, type: script, retries: 3}\n"
        "on_failure:\n- {type: script}\n"
    )
    plain = with_step_defaults(flow).plain()
    assert plain["steps"] == [
        {"retries": "2", "pull": "missing", "id": "a", "type": "docker"},
        {"retries": "3", "id": "b", "type": "script"},
    ]
    assert plain["on_failure"] == [{"retries": "1", "type": "script"}]


def test_a_projects_defaults_become_keys_of_the_flow_and_defaults_of_its_steps() -> None:
    layer = flow_layer(tree("server: s\nall: {retries: 1}\ndocker: {pull: never}\n"), TYPES)
    assert layer is not None
    assert layer.plain() == {"server": "s", "defaults": {"all": {"retries": "1"}, "docker": {"pull": "never"}}}


@pytest.mark.parametrize(
    ("text", "names", "codes"),
    [
        pytest.param("environment: staging", ["staging"], [], id="one name"),
        pytest.param("environment: [staging, production]", ["staging", "production"], [], id="a list"),
        pytest.param("environment: {staging: , production: {cron: null}}", ["staging", "production"], [], id="a map"),
        pytest.param("environment: [staging, prod]", ["staging"], ["unknown-environment"], id="one unknown"),
        pytest.param("environment: [[a]]", [], ["wrong-type"], id="not a name"),
        pytest.param("cron: null", [], [], id="none"),
    ],
)
def test_overrides(text: str, names: list[str], codes: list[str]) -> None:
    found, findings = overrides(tree(text), ["staging", "production"])
    assert [override.environment for override in found] == names
    assert [finding.code for finding in findings] == codes
    assert all(isinstance(override, Override) for override in found)


def test_defaults_for_a_type_that_does_not_exist_are_told() -> None:
    findings = list(unknown_defaults(tree("defaults: {dockr: {}, all: 3}\n"), TYPES))
    assert [(finding.code, finding.route) for finding in findings] == [
        ("unknown-key", ("defaults", "dockr")),
        ("wrong-type", ("defaults", "all")),
    ]
