"""Where somebody is typing, in documents that are mostly not YAML at that moment; `|` marks the place."""

import pytest

from flowmill.editor.cursor import Cursor, cursor_at

STEPS = """\
project: demo
steps:
  - id: load
    type: script
    env:
      MODE: full
  - id: publish
    type: docker
"""


def at(text: str) -> Cursor:
    before, _, after = text.partition("|")
    return cursor_at(before + after, before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1)


PLACES = [
    pytest.param("pro|", (), None, "pro", id="the first key"),
    pytest.param("project: demo\nser|", (), None, "ser", id="a key of the flow"),
    pytest.param("project: demo\n|", (), None, "", id="an empty line"),
    pytest.param("server: al|", (), "server", "al", id="a value"),
    pytest.param("server: |", (), "server", "", id="an empty value"),
    pytest.param(STEPS + "    ne|", ("steps", 1), None, "ne", id="a key of the second step"),
    pytest.param(STEPS + "    needs: lo|", ("steps", 1), "needs", "lo", id="a value of a step"),
    pytest.param(STEPS + "    needs:\n      - lo|", ("steps", 1, "needs", 0), None, "lo", id="an item of a list"),
    pytest.param(
        STEPS + "    needs:\n    - a\n    - lo|", ("steps", 1, "needs", 1), None, "lo", id="a list not indented"
    ),
    pytest.param(STEPS + "    needs: [a, lo|", ("steps", 1, "needs", 1), None, "lo", id="an item in brackets"),
    pytest.param(STEPS + "    needs: [a, lo|]", ("steps", 1, "needs", 1), None, "lo", id="in closed brackets"),
    pytest.param(STEPS + "  - i|", ("steps", 2), None, "i", id="the first key of a step"),
    pytest.param(
        STEPS + "  - id: x\n    env:\n      A|", ("steps", 2, "env"), None, "A", id="a key of a map in a step"
    ),
    pytest.param(STEPS + "  - {id: x, ty|}", ("steps", 2), None, "ty", id="a key in braces"),
    pytest.param(STEPS + "  - {id: x, needs: lo|}", ("steps", 2), "needs", "lo", id="a value in braces"),
    pytest.param(STEPS + "  - {id: x, needs: [lo|", ("steps", 2, "needs", 0), None, "lo", id="brackets in braces"),
    pytest.param("steps:\n- id: a\n- id: b\n  ty|", ("steps", 1), None, "ty", id="steps not indented"),
    pytest.param("steps:\n- id: a\n  # a comment\n\n  ty|", ("steps", 0), None, "ty", id="behind a comment"),
    pytest.param("concurrency: {lim|", ("concurrency",), None, "lim", id="a map in braces"),
    pytest.param("environment:\n  staging:\n    ser|", ("environment", "staging"), None, "ser", id="an override"),
    pytest.param("defaults:\n  docker:\n    im|\nsteps:\n", ("defaults", "docker"), None, "im", id="text behind it"),
    pytest.param('text: "a, b: {" \nser|', (), None, "ser", id="brackets in quotes"),
]


@pytest.mark.parametrize(("text", "route", "key", "word"), PLACES)
def test_where_it_is(text: str, route: tuple[str | int, ...], key: str | None, word: str) -> None:
    found = at(text)
    assert (found.route, found.key, found.word) == (route, key, word)


@pytest.mark.parametrize(
    ("text", "expression", "key"),
    [
        pytest.param("text: ${{ steps.lo|", " steps.lo", "text", id="open"),
        pytest.param("text: a ${{ x }} b ${{ vars.|", " vars.", "text", id="the second one"),
        pytest.param("text: ${{ x }} b|", None, "text", id="closed"),
        pytest.param('command: [a, "${{ run.st|"]', " run.st", None, id="in brackets"),
        pytest.param("text: |\n", None, "text", id="none"),
    ],
)
def test_whether_it_is_in_an_expression(text: str, expression: str | None, key: str | None) -> None:
    found = at(text)
    assert (found.expression, found.key) == (expression, key)


@pytest.mark.parametrize(
    ("text", "siblings"),
    [
        pytest.param(STEPS + "    ne|", {"id": "publish", "type": "docker"}, id="the step above"),
        pytest.param(STEPS.replace("type: script", "ty|"), {"id": "load", "env": ""}, id="keys behind it"),
        pytest.param("steps:\n  - {id: x, ty|, type: docker}", {"id": "x", "type": "docker"}, id="in braces"),
        pytest.param("project: a\nser|\ncron: b", {"project": "a", "cron": "b"}, id="of the flow"),
    ],
)
def test_which_keys_are_beside_it(text: str, siblings: dict[str, str]) -> None:
    assert at(text).siblings == siblings
