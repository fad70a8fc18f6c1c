"""Every effective value has the place that set it, and that is the value and the place of the merged flow."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowmill.elaborating.inheritance import flow_layers
from flowmill.elaborating.layers import Layer, Layers, Owner
from flowmill.explain import Fact, facts
from flowmill.reading.nodes import plain
from flowmill.reading.parse import parse_tree
from flowmill.reading.source import Source
from flowmill.reading.tree import Tree
from flowmill.spec.bind import keys_of
from flowmill.spec.flow import GROUPS, STEP_KEYS, FlowSpec, keys_out_of_place
from flowmill.workspace import Files, load
from flowmill_tasks.registry import discover
from support.flows import JOB, script, write_workspace
from validating.command import flowmill

SHIPPED = Path(__file__).resolve().parents[2] / "specs"


def explained(files: Files, environment: str, index: int = 0) -> dict[str, Fact]:
    return {fact.key: fact for fact in facts(files.flows[index], files, discover(), environment)}


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_the_winner_is_what_the_merged_flow_has_and_where_it_has_it(environment: str) -> None:
    files, compared = load(SHIPPED), 0
    for flow in files.flows:
        complete = flow_layers(flow, files, discover(), environment).complete
        for fact in facts(flow, files, discover(), environment):
            node = complete.at(fact.route)
            if node is not None and fact.key.rpartition(".")[2] != "env_from":
                compared += 1
                assert (fact.written, fact.settings[0].span) == (plain(node), complete.span(fact.route))
    assert compared > 500


def maps(values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(["x", "y", "z"]), values, max_size=3)


scalars = st.sampled_from(["a", "b", "c"])
documents = st.recursive(scalars | st.lists(scalars, max_size=2), maps, max_leaves=6)


def tree_of(number: int, document: dict[str, Any]) -> Tree:
    tree = parse_tree(Source(f"{number}.yaml", json.dumps({**document, "always": number})))
    assert isinstance(tree, Tree)
    return tree


def routes(value: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, item in value.items():
        yield (*above, key)
        if isinstance(item, dict):
            yield from routes(item, (*above, key))


@settings(max_examples=300, deadline=None)
@given(st.lists(maps(documents), min_size=1, max_size=5))
def test_whatever_the_layers_the_winner_is_that_of_the_merge(layers: list[dict[str, Any]]) -> None:
    trees = [tree_of(number, document) for number, document in enumerate(layers)]
    made = Layers(
        tuple(Layer(Owner("template", f"layer-{number}"), tree) for number, tree in enumerate(trees)), trees[-1]
    )
    for route in routes(made.merged.plain()):
        node = made.merged.at(route)
        assert node is not None
        winner = made.settings(route)[0]
        if not isinstance(plain(node), dict):
            assert (winner.value, winner.span) == (plain(node), made.merged.span(route))


def test_every_key_of_the_language_is_explained(tmp_path: Path) -> None:
    """Whether somebody sets it or not; no key has to be named in a list."""
    step = script("load", foreach=["a"], **{"if": "always()"})
    flow = {"project": "demo", "environment": "staging", "server": "etl-01", "steps": [step]}
    files = load(write_workspace(tmp_path, {"demo/job.yaml": flow}))
    found = explained(files, "staging")
    own = {*keys_of(FlowSpec)} - {"steps", "on_retry", "on_failure", "on_success", "finally", "defaults", "environment"}
    assert own - {key.split(".")[0] for key in found} == set()
    assert {
        f"steps.load.{key}" for key in (*STEP_KEYS - {"env"}, *keys_of(discover()["script"]))
    } - found.keys() == set()
    assert found["steps.load.if"].value == "always()"


@pytest.mark.parametrize("group", GROUPS)
def test_a_step_is_explained_with_the_keys_that_it_may_have(tmp_path: Path, group: str) -> None:
    flow = {"project": "demo", "environment": "staging", "server": "etl-01", "steps": [script("load")]}
    files = load(write_workspace(tmp_path, {"demo/job.yaml": {**flow, group: [script("here")]}}))
    told = {key.split(".")[2] for key in explained(files, "staging") if key.startswith(f"{group}.here.")}
    assert STEP_KEYS - {"env"} - told == set(keys_out_of_place(group))


def test_the_environment_of_a_step_is_its_own_over_that_of_the_flow(tmp_path: Path) -> None:
    flow = {
        "project": "demo",
        "environment": "staging",
        "server": "etl-01",
        "env": {"REGION": "eu", "MODE": "${{ environment }}"},
        "env_from": "shared",
        "steps": [script("load", env={"REGION": "us"}, env_from=["own"])],
    }
    found = explained(load(write_workspace(tmp_path, {"demo/job.yaml": flow})), "staging")
    region = found["steps.load.env.REGION"]
    assert (region.value, [setting.value for setting in region.settings]) == ("us", ["us", "eu"])
    assert (found["steps.load.env.MODE"].value, found["steps.load.env.MODE"].written) == (
        "staging",
        "${{ environment }}",
    )
    assert found["steps.load.env_from"].value == ["shared", "own"]


def story(tmp_path: Path, *arguments: str) -> str:
    """What the command prints about a flow whose tag is set in four places."""
    workspace = {
        "environments": {"staging": {"ref": "main", "defaults": {"vars": {"tag": "environment"}}}},
        "servers": {"etl-01": {}},
        "defaults": {"vars": {"tag": "workspace"}},
    }
    project = {
        "defaults": {"vars": {"tag": "project"}, "script": {"retries": 2}},
        "templates": {"base": {"timezone": "UTC"}},
    }
    flow = {
        "project": "demo",
        "extends": "base",
        "environment": {"staging": {"vars": {"tag": "override"}}},
        "server": "etl-01",
        "steps": [script("load", ["load", "${{ vars.tag }}"], env={"API_TOKEN": "hunter2"})],
    }
    write_workspace(tmp_path / "specs", {"demo/project.yaml": project, "demo/job.yaml": flow}, workspace)
    done = flowmill("explain", "specs/demo/job.yaml", *arguments, cwd=tmp_path)
    return done.text if done.code == 0 else f"{done.code} {done.error}"


def test_a_story_names_every_layer_and_its_place(tmp_path: Path) -> None:
    assert story(tmp_path, "vars.tag").splitlines()[2:] == [
        "vars.tag = override",
        "  set by   the flow's override for `staging`, specs/demo/job.yaml:7:16",
        "  over     project, set by the project's defaults, specs/demo/project.yaml:4:14",
        "  over     environment, set by the environment's defaults, specs/flowmill.yaml:7:18",
        "  over     workspace, set by the workspace's defaults, specs/flowmill.yaml:17:14",
    ]


@pytest.mark.parametrize(
    ("key", "line"),
    [
        pytest.param("steps.load.command", '  written  ["load", "${{ vars.tag }}"]', id="what was put in"),
        pytest.param("steps.load.retries", "  set by   defaults for script steps of the project", id="type"),
        pytest.param("timezone", "  set by   template `base`, specs/demo/project.yaml", id="template"),
        pytest.param("catchup", "  set by   nobody: this is the default", id="default"),
        pytest.param("steps.load.env.API_TOKEN", "steps.load.env.API_TOKEN = ***", id="credential"),
    ],
)
def test_the_story_of_a_key(tmp_path: Path, key: str, line: str) -> None:
    told = story(tmp_path, key)
    assert any(shown.startswith(line) for shown in told.splitlines()), told
    assert "hunter2" not in told


CREDENTIALS: dict[str, dict[str, Any]] = {
    "below a key that names one": {"vars": {"login": {"token": {"old": "hunter2"}}}},
    "put in by an expression": {"vars": {"api_token": "hunter2"}, "description": "with ${{ vars.api_token }}"},
    "put in with its map": {"vars": {"login": {"password": "hunter2"}}, "env": {"A": "${{ vars.login | json }}"}},
    "through another key": {
        "vars": {"token": "hunter2"},
        "owner": "${{ vars.token }}",
        "env": {"A": "${{ flow.owner }}"},
    },
    "in an address": {"description": "see https://u:hunter2@example.org"},
    "in an expression": {"description": "${{ 'xoxb-hunter2' | upper }}"},
}


@pytest.mark.parametrize("keys", CREDENTIALS.values(), ids=CREDENTIALS)
@pytest.mark.parametrize("options", [(), ("--all",), ("--format", "json")], ids=str)
def test_a_credential_is_shown_nowhere(tmp_path: Path, keys: dict[str, Any], options: tuple[str, ...]) -> None:
    flow = {"project": "demo", "environment": "staging", "server": "etl-01", "steps": [script("load")], **keys}
    write_workspace(tmp_path, {"demo/job.yaml": flow})
    for key in ([], *([key] for key in keys)):
        done = flowmill("explain", "demo/job.yaml", *key, *options, cwd=tmp_path)
        assert done.code == 0, done.error
        assert "hunter2" not in done.text.lower()
        assert "***" in done.text


def test_what_only_refers_to_a_secret_is_shown(tmp_path: Path) -> None:
    step = script("load", env={"TOKEN": "${{ secrets.store.token }}"})
    flow = {"project": "demo", "environment": "staging", "server": "etl-01", "steps": [step]}
    write_workspace(tmp_path, {"demo/job.yaml": flow})
    done = flowmill("explain", "demo/job.yaml", "steps.load.env.TOKEN", cwd=tmp_path)
    assert "steps.load.env.TOKEN = ${{ secrets.store.token }}" in done.text


def test_without_a_key_everything_that_is_set_is_listed(tmp_path: Path) -> None:
    listed = story(tmp_path)
    assert "over project (specs/demo/project.yaml:4)" in listed
    assert "catchup" not in listed
    assert "catchup" in story(tmp_path, "--all")
    assert "hunter2" not in listed + story(tmp_path, "--format", "json")


NESTED = {
    "schedules": [{"id": "early", "cron": "0 6 * * *"}, {"cron": "0 9 * * *", "paused": True}],
    "parameters": {"days": {"type": "integer", "default": 1}},
    "steps": [{"id": "1", "type": "script", "command": "one"}, {"id": "two", "type": "script", "command": "two"}],
}


@pytest.mark.parametrize(
    ("key", "lines"),
    [
        pytest.param("schedules.0.paused", ["schedules.0.paused = false", "nobody: this is the default"], id="default"),
        pytest.param(
            "schedules.1.paused", ["schedules.1.paused = true", "keep the schedule but switched off"], id="set"
        ),
        pytest.param("parameters.days.minimum", ["parameters.days.minimum = -"], id="below a name"),
        pytest.param("steps.0.command", ["steps.1.command = one"], id="number"),
        pytest.param("steps.0.retries", ["steps.1.retries = 0", "nobody: this is the default"], id="number, default"),
        pytest.param("steps.1.command", ["steps.1.command = one"], id="the id goes before the number"),
    ],
)
def test_keys_inside_of_lists_and_maps_are_known(tmp_path: Path, key: str, lines: list[str]) -> None:
    write_workspace(tmp_path, {"demo/job.yaml": {**JOB, **NESTED}})
    done = flowmill("explain", "demo/job.yaml", key, cwd=tmp_path)
    assert done.code == 0, done.error
    assert done.text.splitlines()[2].startswith(lines[0])
    assert all(line in done.text for line in lines)
    assert len([line for line in done.text.splitlines() if " = " in line]) == 1


def test_an_unknown_key_is_answered_with_the_nearest(tmp_path: Path) -> None:
    assert "did you mean `steps.load`?" in story(tmp_path, "steps.laod")
    assert story(tmp_path, "steps.laod").startswith("2 ")


def test_a_wrong_spec_is_told_and_not_explained(tmp_path: Path) -> None:
    write_workspace(tmp_path, {"demo/job.yaml": {"project": "demo"}})
    done = flowmill("explain", "demo/job.yaml", cwd=tmp_path)
    assert (done.code, done.text) == (1, "")
    assert "[missing-key]" in done.error
