"""`flowmill.compile` gives an ordinary Prefect flow, with its parameters as Prefect's form shows them."""

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import flowmill
from support.flows import script, write_job

PARAMETERS = {
    "provider": {
        "type": "string",
        "default": "heron",
        "choices": ["heron", "wren"],
        "description": "Whose: trips, and\nwhy",
    },
    "hours_back": {"type": "integer", "default": 24, "minimum": 1, "maximum": 72},
    "ratio": {"type": "number", "default": 0.5},
    "loud": {"type": "boolean", "default": False},
    "day": {"type": "string"},
}
TEXT = {"type": "string"}


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    return write_job(tmp_path, script("load"), parameters=PARAMETERS, description="Loads the trips")


def properties(spec: Path) -> dict[str, Any]:
    found: dict[str, Any] = flowmill.compile(spec, "staging").parameters.properties
    return found


def test_it_is_a_prefect_flow(spec: Path) -> None:
    from prefect import Flow

    flow = flowmill.compile(str(spec), "staging")
    assert isinstance(flow, Flow)
    assert (flow.name, flow.description, flow.isasync) == ("demo.job", "Loads the trips", True)


def test_the_schema_has_every_parameter_in_order(spec: Path) -> None:
    schema = flowmill.compile(spec, "staging").parameters
    assert list(schema.properties) == list(PARAMETERS)
    assert [schema.properties[name]["position"] for name in PARAMETERS] == list(range(len(PARAMETERS)))
    assert schema.required == ["day"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("provider", {**TEXT, "enum": ["heron", "wren"], "default": "heron", "description": "Whose: trips, and why"}),
        ("hours_back", {"type": "integer", "minimum": 1, "maximum": 72, "default": 24}),
        ("ratio", {"type": "number", "default": 0.5}),
        ("loud", {"type": "boolean", "default": False}),
        ("day", TEXT),
    ],
)
def test_the_schema_has_type_bounds_choices_and_default(spec: Path, name: str, expected: dict[str, Any]) -> None:
    found = {key: value for key, value in properties(spec)[name].items() if key not in ("title", "position")}
    assert found == expected


@pytest.mark.parametrize(
    "wrong", [{"provider": "crow"}, {"hours_back": 0}, {"hours_back": 73}, {"loud": "very"}, {"day": None}]
)
def test_prefect_refuses_a_value_that_does_not_fit(spec: Path, wrong: dict[str, Any]) -> None:
    from prefect.exceptions import ParameterTypeError

    with pytest.raises(ParameterTypeError):
        flowmill.compile(spec, "staging").validate_parameters({"day": "monday", **wrong})


def test_an_unknown_environment_is_a_key_error_that_names_it(spec: Path) -> None:
    with pytest.raises(KeyError, match="production"):
        flowmill.compile(spec, "production")


def test_a_wrong_spec_is_an_error_with_every_place(spec: Path) -> None:
    spec.write_text(spec.read_text().replace('"script"', '"scrpt"'))
    with pytest.raises(flowmill.SpecError, match=r"job\.yaml:\d+:\d+: there is no step type `scrpt`") as wrong:
        flowmill.compile(spec, "staging")
    assert [diagnostic.code for diagnostic in wrong.value.diagnostics] == ["unknown-type"]


@pytest.mark.parametrize("choices", [["a", "b"], [1, 2], [1, "b"]], ids=str)
def test_the_schema_of_a_list_lets_through_what_may_be_chosen(tmp_path: Path, choices: list[Any]) -> None:
    """Prefect's server checks values by this schema, so it has to let every choice through, and nothing else."""
    parameter = {"type": "list", "choices": choices, "default": choices[:1]}
    schema = properties(write_job(tmp_path, script("load"), parameters={"some": parameter}))["some"]
    judge = Draft202012Validator(schema)
    assert judge.is_valid(choices)
    assert not judge.is_valid(["c"])


@pytest.mark.parametrize("name", ["wait_for", "return_state", "self", "cls", "model_config", "_day", "for", "Day"])
def test_a_name_that_prefect_cannot_take_is_refused_before_it_sees_it(spec: Path, name: str) -> None:
    spec.write_text(spec.read_text().replace('"day"', f'"{name}"'))
    with pytest.raises(flowmill.SpecError, match=f"`{name}` cannot be the name of a parameter"):
        flowmill.compile(spec, "staging")


@pytest.mark.filterwarnings("ignore:Field name .* shadows")
def test_a_parameter_may_be_called_like_a_method_of_a_model(spec: Path) -> None:
    spec.write_text(spec.read_text().replace('"day"', '"copy"'))
    assert flowmill.compile(spec, "staging").validate_parameters({"copy": "two"})["copy"] == "two"
