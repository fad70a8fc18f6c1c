"""`flowmill graph` on real flows and real commits."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from support.git import GitFolder
from validating.command import Ran, flowmill

WORKSPACE = {"environments": {"staging": {"ref": "main"}}, "servers": {"etl-01": {}, "etl-02": {}}}


def step(its_id: str, **keys: Any) -> dict[str, Any]:
    return {"id": its_id, "type": "script", "command": "true", **keys}


def flow(*steps: dict[str, Any], **keys: Any) -> dict[str, Any]:
    return {"project": "shop", "environment": "staging", "server": "etl-01", "steps": list(steps), **keys}


BEFORE = flow(step("fetch"), step("check"), step("load", timeout="5m"), on_failure=[step("tell")])
AFTER = flow(
    step("fetch", foreach=["a", "b"], max_parallel=2),
    step("load", needs="fetch", timeout="10m", **{"if": "parameters.full"}),
    step("index", needs="fetch"),
    server="etl-02",
    parameters={"full": {"type": "boolean", "default": True}},
    on_failure=[step("tell", retries=1, retry_delay="90s")],
)


@pytest.fixture
def repo(tmp_path: Path) -> GitFolder:
    made = GitFolder.new(tmp_path / "repo")
    made.commit({"specs/flowmill.yaml": WORKSPACE, "specs/shop/project.yaml": {}, "specs/shop/orders.yaml": BEFORE})
    made.write({"specs/shop/orders.yaml": AFTER})
    return made


def graph(repo: GitFolder, *arguments: str) -> Ran:
    return flowmill("graph", "specs/shop/orders.yaml", *arguments, cwd=repo.root)


def test_a_flow_as_it_is(repo: GitFolder) -> None:
    assert graph(repo).text.splitlines() == [
        "shop.orders in staging on etl-02",
        "",
        "●    fetch  script  for each of 2 · 2 at a time",
        "├─╮",
        "│ ◇  load   script  if parameters.full · timeout 10m",
        "│",
        "●    index  script",
        "",
        "on failure",
        "●    tell   script  1 retry after 1m30s",
        "",
        "3 steps and 1 of handlers; ◇ runs only under a condition",
    ]


def test_what_has_changed_since_a_commit(repo: GitFolder) -> None:
    ran = graph(repo, "--against", "main")
    assert ran.code == 0, ran.error
    lines = ran.text.splitlines()
    assert lines[1] == "server: etl-01 -> etl-02"
    signs = {words[1]: words[0] for line in lines if (words := line.replace("│", " ").split()) and len(words) > 1}
    assert {name: signs[name] for name in ("fetch", "check", "load", "index", "tell")} == {
        "fetch": "~",
        "check": "-",
        "load": "~",
        "index": "+",
        "tell": "~",
    }
    assert any("timeout: 300 -> 600" in line for line in lines)
    assert any('needs: ["check"] -> ["fetch"]' in line for line in lines)
    assert lines[-1].endswith("against main: 1 added, 1 removed, 3 changed")
    assert "\x1b[31m-\x1b[0m" in graph(repo, "--against", "main", "--color").text


def test_changes_in_the_other_formats(repo: GitFolder) -> None:
    root = ElementTree.fromstring(graph(repo, "--against", "main", "--format", "svg").text)
    classes = {it.attrib["data-step"]: it.attrib["class"].split() for it in root.iter() if "data-step" in it.attrib}
    assert ("removed" in classes["check"], "added" in classes["index"], "changed" in classes["load"]) == (True,) * 3
    edges = {
        (it.attrib["data-from"], it.attrib["data-to"]): it.attrib["class"]
        for it in root.iter()
        if "data-to" in it.attrib
    }
    assert edges["fetch", "index"] == "edge added"
    assert edges["check", "load"] == "edge removed"
    mermaid = graph(repo, "--against", "main", "--format", "mermaid").text
    assert "classDef removed fill:#ffebe9" in mermaid


def test_nothing_has_changed(repo: GitFolder) -> None:
    repo.commit({})
    assert graph(repo, "--against", "HEAD").text.endswith("against HEAD: no step has changed\n")


def test_a_flow_that_was_not_there_is_all_new(repo: GitFolder) -> None:
    repo.write({"specs/shop/other.yaml": flow(step("one"), step("two"))})
    ran = flowmill("graph", "specs/shop/other.yaml", "--against", "main", cwd=repo.root)
    assert ran.text.endswith("against main: 2 added\n")


def test_a_file_is_written_in_the_format_that_it_is_called_like(repo: GitFolder) -> None:
    for name, start in (("flow.svg", "<svg"), ("flow.mmd", "---\ntitle:"), ("flow.txt", "shop.orders in staging")):
        ran = graph(repo, "--out", name)
        assert (ran.code, ran.text) == (0, "")
        assert (repo.root / name).read_text().startswith(start)


def test_no_picture_shows_a_credential(repo: GitFolder) -> None:
    secret = "xoxb-1234567890"
    steps = [step("go", name="${{ vars.api_token }}", **{"if": f"parameters.p == '{secret}'"})]
    given = {"p": {"type": "string", "default": "x"}}
    repo.write({"specs/shop/orders.yaml": flow(*steps, parameters=given, vars={"api_token": "very-hidden-word"})})
    for output in ("text", "mermaid", "svg"):
        ran = graph(repo, "--format", output, "--against", "main")
        assert ran.code == 0, ran.error
        assert secret not in ran.text
        assert "very-hidden-word" not in ran.text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--env", "stagin"], "did you mean `staging`?"),
        (["--against", "nowhere"], "nowhere"),
        (["--format", "png"], "'mermaid', 'svg', 'text'"),
        (["--out", "nowhere/flow.svg"], "nowhere/flow.svg"),
    ],
    ids=lambda it: it[0] if isinstance(it, list) else "",
)
def test_what_is_wrong_with_a_command_line(repo: GitFolder, arguments: list[str], words: str) -> None:
    ran = graph(repo, *arguments)
    assert ran.code in (1, 2)
    assert words in ran.error


def test_a_spec_that_is_wrong_says_so(repo: GitFolder) -> None:
    repo.write({"specs/shop/orders.yaml": json.dumps(flow(step("go", needs="gone")))})
    ran = graph(repo)
    assert (ran.code, ran.text) == (1, "")
    assert "gone" in ran.error
