"""Which value wins, and whose place it keeps."""

from typing import Any

import pytest

from flowmill.elaborating.layers import (
    Layer,
    Layers,
    Owner,
    environments_of,
    flow_keys,
    stack,
    standing_at,
    unknown_defaults,
)
from flowmill.reading.parse import parse_tree
from flowmill.reading.source import Source
from flowmill.reading.tree import Tree

TYPES = ("docker", "script")


def tree(text: str, path: str = "flow.yaml") -> Tree:
    found = parse_tree(Source(path, text))
    assert isinstance(found, Tree), found
    return found


def layers(**texts: str) -> Layers:
    """Layers of templates by name, weakest first; the last is the flow."""
    items = tuple(Layer(Owner("template", name), tree(text, f"{name}.yaml")) for name, text in texts.items())
    return Layers(items, items[-1].tree)


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
    assert stack([tree(below), tree(above)]).plain() == merged


def test_every_value_keeps_the_place_in_the_file_that_set_it() -> None:
    merged = stack([tree("a: 1\nb: 2\n", "project.yaml"), tree("b: 3\n", "flow.yaml")])
    assert (merged.span(("a",)).path, merged.span(("b",)).path) == ("project.yaml", "flow.yaml")


def test_what_is_missing_is_missing_in_the_flow() -> None:
    flow = tree("b: 3\n", "flow.yaml")
    merged = standing_at(stack([tree("a: 1\n", "project.yaml"), flow]), flow)
    assert merged.span(("server",)).path == "flow.yaml"


def test_defaults_for_steps_lie_under_those_of_their_type_only() -> None:
    flow = layers(
        flow="defaults: {all: {retries: 1}, docker: {pull: missing, retries: 2}}\n"
        "steps:\n- {id: a, type: docker}\n- {id: b, type: script, retries: 3}\n"
        "on_failure:\n- {type: script}\n"
    )
    plain = flow.complete.plain()
    assert plain["steps"] == [
        {"retries": "2", "pull": "missing", "id": "a", "type": "docker"},
        {"retries": "3", "id": "b", "type": "script"},
    ]
    assert plain["on_failure"] == [{"retries": "1", "type": "script"}]


def test_a_projects_defaults_become_keys_of_the_flow_and_defaults_of_its_steps() -> None:
    layer = flow_keys(tree("server: s\nall: {retries: 1}\ndocker: {pull: never}\n"), TYPES)
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
def test_environments(text: str, names: list[str], codes: list[str]) -> None:
    found, findings = environments_of(tree(text), ["staging", "production"])
    assert found == names
    assert [finding.code for finding in findings] == codes


def test_defaults_for_a_type_that_does_not_exist_are_told() -> None:
    findings = list(unknown_defaults(tree("defaults: {dockr: {}, all: 3}\n"), TYPES))
    assert [(finding.code, finding.route) for finding in findings] == [
        ("unknown-key", ("defaults", "dockr")),
        ("wrong-type", ("defaults", "all")),
    ]


STEPS = "steps: [{id: a, type: script}]\n"


@pytest.mark.parametrize(
    ("project", "flow", "merged"),
    [
        pytest.param("all: {retries: 1}", "script: {retries: 2}", "2", id="a type's keys over those of all"),
        pytest.param("script: {retries: 1}", "all: {retries: 2}", "1", id="in whichever layer they stand"),
        pytest.param("script: {retries: 1}", "script: {retries: 2}", "2", id="the nearer of a type"),
        pytest.param("script: {retries: 1}", "script: {retries: null}", None, id="null takes a value away"),
    ],
)
def test_layers_of_a_step(project: str, flow: str, merged: str | None) -> None:
    found = layers(project=f"defaults: {{{project}}}", flow=f"defaults: {{{flow}}}\n{STEPS}")
    assert found.complete.plain()["steps"][0]["retries"] == merged


def test_null_for_defaults_takes_all_of_them_away() -> None:
    found = layers(project="defaults: {all: {retries: 1}}", flow=f"defaults: null\n{STEPS}")
    assert found.complete.plain()["steps"] == [{"id": "a", "type": "script"}]


@pytest.mark.parametrize(
    ("texts", "route", "names"),
    [
        pytest.param({"p": "a: 1", "f": "a: 2"}, ("a",), ["f", "p"], id="the winner first"),
        pytest.param({"p": "a: {x: 1}", "f": "a: {y: 2}"}, ("a", "x"), ["p"], id="a key of a map that is merged"),
        pytest.param({"p": "a: {x: 1}", "f": "a: text"}, ("a", "x"), [], id="what another value has replaced"),
        pytest.param({"p": "a: {x: 1}", "t": "a: null", "f": "a: {x: 2}"}, ("a", "x"), ["f", "p"], id="and is back"),
        pytest.param({"p": "a: [1, 2]", "f": "a: [3]"}, ("a", 0), ["f"], id="an item has no rivals"),
        pytest.param({"p": "a: [1, 2]", "f": "a: [3]"}, ("a", 1), [], id="an item of a list that is replaced"),
        pytest.param({"p": "a: [1, 2]", "f": "a: [3]"}, ("a",), ["f", "p"], id="but the list has"),
        pytest.param({"p": "a: [1]", "f": "a: {x: 1}"}, ("a", 0), [], id="a map in place of a list"),
        pytest.param({"p": "a: {x: 1}", "f": "a: {}"}, ("a", "x"), ["p"], id="an empty map takes nothing away"),
        pytest.param({"p": "a: 1", "f": "b: 2"}, ("c",), [], id="nobody"),
    ],
)
def test_who_sets_a_value(texts: dict[str, str], route: tuple[str | int, ...], names: list[str]) -> None:
    assert [setting.layer.owner.template for setting in layers(**texts).settings(route)] == names


def test_the_layers_of_a_step_say_whose_defaults_they_are() -> None:
    found = layers(project="defaults: {all: {retries: 1}, script: {retries: 2}}", flow=f"defaults: {{}}\n{STEPS}")
    step = found.of_step("steps", 0)
    assert step is not None
    assert [(setting.layer.name, setting.span.path) for setting in step.settings(("retries",))] == [
        ("defaults for script steps of template `project`", "project.yaml"),
        ("defaults for every step of template `project`", "project.yaml"),
    ]
    assert [setting.layer.name for setting in step.settings(("id",))] == ["template `flow`"]
