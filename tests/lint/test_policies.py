"""Policies: which flows one is about, and what it wants of them and of their steps."""

from contextlib import chdir
from pathlib import Path

import pytest
import yaml

from flowmill.proving import prove
from lint.workspace import FLOW, WORKSPACE, lay_out

STEPS = """\
steps:
  - {id: load, type: script, command: ./load.sh, timeout: 10m, retries: 0}
  - {id: publish, type: docker, image: "registry.example.org/publish:1"}
on_failure:
  - {type: slack, webhook: "${{ secrets.slack }}", text: failed}
"""
RICH = FLOW.split("steps:")[0] + "concurrency: 1\nenv: {MODE: full}\n" + STEPS


def messages(folder: Path, policy: str, flow: str = RICH, project: str = "owner: data@example.org\n") -> list[str]:
    lint = {"lint": {"policies": {"ours": {"description": "wanted", **yaml.safe_load(policy)}}}}
    files = {"flowmill.yaml": WORKSPACE + yaml.safe_dump(lint), "demo/project.yaml": project, "demo/trips.yaml": flow}
    root = lay_out(folder, files)
    with chdir(folder):
        found = [it for it in prove(root).diagnostics if it.code == "policy"]
    assert all(it.related[0].message == "policy `ours`" and it.hint == "wanted" for it in found)
    return [f"{it.span.line}: {it.message}" for it in found]


@pytest.mark.parametrize(
    ("policy", "found"),
    [
        pytest.param("require: [owner, on_failure, concurrency.limit, env.MODE]", [], id="all there"),
        pytest.param("require: owner", [], id="one word, inherited from the project"),
        pytest.param("require: [description]", ["1: the flow has no `description`"], id="absent"),
        pytest.param("require: [paused]", ["1: the flow has no `paused`"], id="false is not there"),
        pytest.param("require: [env.DEBUG]", ["6: the flow has no `env.DEBUG`"], id="absent in a map"),
        pytest.param("forbid: [queue, env.DEBUG]", [], id="nothing forbidden"),
        pytest.param("forbid: [cron]", ["4: the flow has `cron`"], id="forbidden"),
        pytest.param("values: {owner: ['*@example.org']}", [], id="a pattern that fits"),
        pytest.param("values: {server: [etl-02]}", ["3: `server` of the flow is not one of `etl-02`"], id="unfit"),
        pytest.param("values: {queue: [slow]}", [], id="values of what is not set"),
        pytest.param("require_in_steps: [timeout]\nstep_types: script", [], id="steps of a type"),
        pytest.param(
            "require_in_steps: timeout",
            ["9: step `publish` has no `timeout`", "11: step `on_failure_1` has no `timeout`"],
            id="every step, those of handlers too",
        ),
        pytest.param("forbid_in_steps: retries", [], id="0 is not there"),
        pytest.param(
            "values_in_steps: {image: ['ours/*']}", ["9: `image` of step `publish` is not one of `ours/*`"], id="image"
        ),
    ],
)
def test_what_a_policy_wants(policy: str, found: list[str], tmp_path: Path) -> None:
    assert messages(tmp_path, policy) == found


@pytest.mark.parametrize(
    ("about", "is_about"),
    [
        pytest.param("environments: staging", " (in staging)", id="one of two environments"),
        pytest.param("environments: [staging, production]", "", id="both"),
        pytest.param("projects: demo", "", id="the project"),
        pytest.param("projects: other", None, id="another project"),
        pytest.param("servers: etl-01", "", id="the server"),
        pytest.param("scheduled: true", "", id="with a schedule"),
        pytest.param("scheduled: false", None, id="without a schedule"),
    ],
)
def test_which_flows_a_policy_is_about(about: str, is_about: str | None, tmp_path: Path) -> None:
    expected = [] if is_about is None else [f"1: the flow has no `description`{is_about}"]
    assert messages(tmp_path, f"require: [description]\n{about}") == expected
