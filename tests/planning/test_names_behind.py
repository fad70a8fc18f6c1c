"""What a name leads to: through `vars` and keys of other steps, and no further than folding puts in."""

from typing import Any

import pytest

from flowmill.elaborating.names_behind import NamesBehind
from flowmill_tasks.registry import discover

WRITTEN: dict[str, Any] = {
    "vars": {
        "token": "${{ secrets.load.token }}",
        "portal": {"user": "flows", "days": ["${{ parameters.days }}", "${{ run.start }} ${{ secrets.portal.key }}"]},
    },
    "steps": [
        {"id": "tell", "type": "slack", "text": "as ${{ vars.token }}", "name": "${{ secrets.name }}"},
        {"id": "note", "type": "artifact", "title": "${{ steps.tell.text }}", "markdown": "${{ steps.note.markdown }}"},
        {"id": "load", "type": "script", "args": ["${{ steps.copy.args }}"]},
        {"id": "copy", "type": "script", "args": ["${{ steps.load.args }}", "${{ vars.token }}"]},
        {"id": "tell", "type": "slack", "text": "${{ secrets.second.of_this_id }}"},
        "no step",
    ],
}


@pytest.mark.parametrize(
    ("name", "behind"),
    [
        pytest.param("vars.token", ["secrets.load.token"], id="vars"),
        pytest.param("vars.portal.user", [], id="one key of a map"),
        pytest.param("vars.portal", ["parameters.days", "run.start", "secrets.portal.key"], id="all of a map"),
        pytest.param("vars.unknown.key", [], id="nothing of this name"),
        pytest.param("vars.token.key", [], id="no map"),
        pytest.param("steps.tell.text", ["vars.token", "secrets.load.token"], id="a key of the first step of an id"),
        pytest.param("steps.note.title", ["steps.tell.text", "vars.token", "secrets.load.token"], id="three in a row"),
        pytest.param("steps.note.markdown", ["steps.note.markdown"], id="itself"),
        pytest.param(
            "steps.load.args", ["steps.copy.args", "steps.load.args", "vars.token", "secrets.load.token"], id="a circle"
        ),
        pytest.param("steps.tell.name", [], id="a key of every step is not put in"),
        pytest.param("steps.load.stdout", [], id="an output"),
        pytest.param("steps.none.text", [], id="no such step"),
        pytest.param("secrets.load.token", [], id="a secret itself"),
    ],
)
def test_what_is_behind_a_name(name: str, behind: list[str]) -> None:
    found = NamesBehind(WRITTEN, discover()).of(tuple(name.split(".")))
    assert [".".join(path) for path in found] == behind


@pytest.mark.parametrize("steps", [None, "none", [None], [{"type": "slack"}]])
def test_a_flow_that_is_wrong_has_nothing_behind_its_names(steps: Any) -> None:
    behind = NamesBehind({"vars": ["a"], "steps": steps}, discover())
    assert behind.of(("vars", "a")) == behind.of(("steps", "a", "text")) == ()
