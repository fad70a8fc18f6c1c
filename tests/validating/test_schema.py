"""The published JSON Schemas say what `flowmill validate` says, as far as a schema can."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from flowmill.pipeline import compile_workspace
from flowmill.reading.parse import parse_tree
from flowmill.reading.source import Source
from flowmill.reading.tree import Tree
from flowmill.schema import schemas
from flowmill.spec.flow import GROUPS, FlowSpec, StepKeys, keys_out_of_place
from flowmill.spec.workspace import Project, Workspace
from flowmill.workspace import is_test_file
from flowmill_tasks.fields import core_value
from flowmill_tasks.registry import discover
from golden.corpus import WORKSPACE, Case, err_cases, ok_cases
from support.flows import JOB, script, write_workspace

ROOT = Path(__file__).parent.parent.parent
KINDS = {"flowmill.yaml": "workspace", "project.yaml": "project"}
"""The kinds of documents by the names of their files, besides flows and tests."""

EXPRESSIBLE = {"unknown-key", "unknown-type", "wrong-type", "missing-key"}
"""Codes of mistakes that a schema of one file can see, where the case is about nothing else."""
NOT_EXPRESSIBLE = {
    "missing-key-server": "whether the server is inherited, one file does not say",
    "unknown-key-of-step-in-test": "the type of a step, and so what can be said of it, stands in another file",
}


@cache
def validator(kind: str) -> Draft202012Validator:
    schema = json.loads((ROOT / f"schema/{kind}.schema.json").read_text(encoding="utf-8"))
    return Draft202012Validator(schema)


def document(path: Path) -> Any:
    """A spec as an editor sees it: YAML 1.2 with its types; None where it is not YAML."""
    tree = parse_tree(Source(path.name, path.read_bytes().decode("utf-8-sig", "replace")))
    return core_value(tree.plain()) if isinstance(tree, Tree) else None


def problems(path: Path) -> list[str]:
    """What an editor shows for a spec."""
    kind = "test" if is_test_file(path) else KINDS.get(path.name, "flow")
    return [error.message for error in validator(kind).iter_errors(document(path))]


def specs_of(case: Case) -> list[Path]:
    """The spec of a case, or all of its files."""
    return case.files if case.source.is_file() else sorted(case.source.rglob("*.yaml"))


def test_the_published_schemas_are_those_of_the_models() -> None:
    for name, text in schemas(discover()).items():
        assert (ROOT / "schema" / name).read_text(encoding="utf-8") == text, f"{name}: run `flowmill schema`"


@pytest.mark.parametrize("kind", ["flow", "project", "workspace", "test"])
def test_a_schema_is_one(kind: str) -> None:
    Draft202012Validator.check_schema(validator(kind).schema)


RIGHT = [path for case in ok_cases() for path in specs_of(case)]
SHIPPED = [*sorted((ROOT / "specs").rglob("*.yaml")), *sorted(WORKSPACE.rglob("*.yaml"))]


@pytest.mark.parametrize("path", [*RIGHT, *SHIPPED], ids=lambda path: "/".join(path.parts[-3:]))
def test_a_right_spec_is_right_by_the_schema(path: Path) -> None:
    assert problems(path) == []


def codes_of(case: Case) -> set[str]:
    lines = case.expected.read_text(encoding="utf-8").splitlines()
    return {line.rpartition("[")[2].rstrip("]") for line in lines if line.endswith("]") and not line.startswith(" ")}


WRONG = [case for case in err_cases() if codes_of(case) <= EXPRESSIBLE and case.name not in NOT_EXPRESSIBLE]


@pytest.mark.parametrize("case", WRONG, ids=lambda case: case.name)
def test_a_spec_with_a_mistake_that_a_schema_can_express_is_wrong_by_it(case: Case) -> None:
    assert any(problems(path) for path in specs_of(case))


def test_enough_of_the_corpus_is_expressible() -> None:
    assert len(WRONG) >= 20
    assert set(NOT_EXPRESSIBLE) <= {case.name for case in err_cases()}


def properties(schema: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Every property of a schema, at any depth, with where it stands."""
    for key, value in (
        schema.items() if isinstance(schema, dict) else enumerate(schema) if isinstance(schema, list) else ()
    ):
        if key == "properties":
            yield from ((f"{place}/{name}", property_) for name, property_ in value.items())
        if key not in ("examples", "default", "enum", "const"):
            yield from properties(value, f"{place}/{key}")


def resolved(kind: str, schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema and "description" not in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        schema = validator(kind).schema["$defs"][name]
    return schema


@pytest.mark.parametrize("kind", ["flow", "project", "workspace", "test"])
def test_every_key_has_a_description(kind: str) -> None:
    found = list(properties(validator(kind).schema))
    assert len(found) > (40 if kind == "test" else 100)
    bare = {place for place, schema in found if "description" not in resolved(kind, schema)}
    assert {place for place in bare if not re.search(r"/allOf/\d+/if/type$", place)} == set()


@pytest.mark.parametrize(
    "model", [FlowSpec, StepKeys, Project, Workspace, *discover().values()], ids=lambda model: model.__name__
)
def test_every_key_of_a_model_is_described(model: Any) -> None:
    assert [name for name, field in model.model_fields.items() if not field.description] == []


def with_examples(kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every key that has examples, with where it stands."""
    for place, schema in properties(validator(kind).schema):
        found = resolved(kind, schema)
        if "examples" in found:
            yield place, found


@pytest.mark.parametrize("kind", ["flow", "project", "workspace", "test"])
def test_every_example_is_right_by_its_own_schema(kind: str) -> None:
    definitions = validator(kind).schema.get("$defs", {})
    wrong = [
        (place, example)
        for place, schema in with_examples(kind)
        for example in schema["examples"]
        if not Draft202012Validator({**schema, "$defs": definitions}).is_valid(example)
    ]
    assert wrong == []


PLAIN = {"description", "owner"}
"""Keys whose values are prose."""


def needs_example(key: str, schema: dict[str, Any]) -> bool:
    """Whether a description alone leaves open what to write: no choice, no flag, no number with a default."""
    arms = [schema, *schema.get("anyOf", [])]
    is_told = any({"enum", "const", "properties", "$ref"} & set(arm) or arm.get("type") == "boolean" for arm in arms)
    has_default = schema.get("default") is not None
    return not (key in PLAIN or is_told or has_default)


@pytest.mark.parametrize("kind", ["flow", "project", "workspace"])
def test_every_key_that_is_free_to_fill_has_an_example(kind: str) -> None:
    found = {place: resolved(kind, schema) for place, schema in properties(validator(kind).schema)}
    bare = {
        place
        for place, schema in found.items()
        if needs_example(place.rpartition("/")[2], schema) and "examples" not in schema and "/Policy/" not in place
    }
    assert bare == set()


@pytest.mark.parametrize(
    "step",
    [
        pytest.param({"id": "a", "type": "dokcer", "image": "a"}, id="unknown-type"),
        pytest.param({"id": "a", "image": "a"}, id="no-type"),
        pytest.param({"type": "docker", "image": "a"}, id="no-id"),
        pytest.param({"id": "a", "type": "docker", "file": "load.py"}, id="a-key-of-another-type"),
    ],
)
def test_a_wrong_step_is_wrong_by_the_schema(step: dict[str, Any]) -> None:
    flow = {"project": "demo", "environment": "staging", "steps": [step]}
    assert not validator("flow").is_valid(flow)


VALUES: dict[str, Any] = {
    "needs": ["load"],
    "continue_on_error": True,
    "foreach": ["a"],
    "matrix": {"letter": ["a"]},
    "max_parallel": 2,
    "fail_fast": False,
    "mutex": "one",
    "retries": 1,
    "if": "always()",
}


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("key", VALUES)
def test_a_key_of_a_step_is_allowed_where_the_checks_allow_it(tmp_path: Path, group: str, key: str) -> None:
    flow: dict[str, Any] = {**JOB, "steps": [script("load")]}
    flow[group] = [*flow.get(group, []), script("here", **{key: VALUES[key]})]
    found = compile_workspace(write_workspace(tmp_path, {"demo/job.yaml": flow})).diagnostics
    refused = any(it.code == "key-in-handler" for it in found)
    assert refused == (key in keys_out_of_place(group))
    assert validator("flow").is_valid(flow) != refused
