"""YAML text as a tree: what values it holds, where everything stands, and how a mistake is explained."""

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from flowmill.diagnostics import Diagnostic, Finding, Part, RelatedRoute, Route, Severity
from flowmill.reading.characters import FORBIDDEN
from flowmill.reading.parse import parse_tree
from flowmill.reading.source import Source
from flowmill.reading.tree import Tree
from flowmill_tasks.fields import Flag, Plain, Text, WholeNumber, core_value


def tree_of(text: str, path: str = "flow.yaml") -> Tree:
    tree = parse_tree(Source(path, text))
    assert isinstance(tree, Tree), tree
    return tree


def problems(text: str) -> list[Diagnostic]:
    found = parse_tree(Source("flow.yaml", text))
    assert isinstance(found, list), found
    return found


def written_at(tree: Tree, route: Route, **where: Any) -> str:
    """The text of the file that a span points at."""
    span = tree.span(route, **where)
    source = tree.sources[span.path]
    starts = [0]
    for line in source.text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    begin = starts[span.line - 1] + span.column - 1
    return source.text[begin : starts[span.end_line - 1] + span.end_column - 1]


class Anything(BaseModel):
    model_config = ConfigDict(strict=True)

    text: Text | None = None
    texts: list[Text] = []
    number: WholeNumber | None = None
    flag: Flag | None = None


@pytest.mark.parametrize(
    ("written", "value"),
    [
        pytest.param("a b", Plain("a b"), id="bare"),
        pytest.param("'a b'", "a b", id="single-quoted"),
        pytest.param('"a b"', "a b", id="double-quoted"),
        pytest.param("|\n  a\n  b", "a\nb\n", id="literal"),
        pytest.param(">-\n  a\n  b", "a b", id="folded"),
        pytest.param("a\n  b", Plain("a b"), id="bare-over-two-lines"),
        pytest.param("", None, id="nothing"),
        pytest.param("null", None, id="null"),
        pytest.param("~", None, id="tilde"),
        pytest.param("'null'", "null", id="quoted-null"),
        pytest.param("''", "", id="quoted-nothing"),
        pytest.param("[]", [], id="empty-list"),
        pytest.param("{}", {}, id="empty-map"),
        pytest.param("[a, {b: 'c'}]", [Plain("a"), {"b": "c"}], id="nested"),
        pytest.param("${{ steps.a.b }}", Plain("${{ steps.a.b }}"), id="expression"),
        pytest.param("a\tb", Plain("a\tb"), id="tab-inside"),
    ],
)
def test_a_value_is_what_was_written_and_knows_whether_it_was_quoted(written, value):
    [found] = tree_of(f"key: {written}\n").plain().values()
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "word",
    [
        *(pytest.param(word, id=f"y09-{word}") for word in ("NO", "yes", "on", "off", "y", "n", "True")),
        *(pytest.param(word, id=f"y10-{word}") for word in ("12:30", "22:22", "1:2", "09:30", "190:20:30")),
        *(pytest.param(word, id=f"y11-{word}") for word in ("0755", "08", "1.10", "1e3", "1_000", "0x1F", "0o7")),
        pytest.param("2026-01-01", id="y15-date"),
    ],
)
def test_y09_y10_y11_a_bare_word_stays_the_text_that_was_written(word):
    model = Anything.model_validate(tree_of(f"text: {word}\ntexts: [{word}, '{word}']\n").plain())
    assert model == Anything(text=word, texts=[word, word])


def test_y09_a_key_is_never_a_boolean():
    assert list(tree_of("on: 1\nyes: 2\nNO: 3\ny: 4\n1: 5\n").plain()) == ["on", "yes", "NO", "y", "1"]


@pytest.mark.parametrize(
    ("text", "value"),
    [("number: 12", {"number": 12}), ("flag: true", {"flag": True}), ("text: 12", {"text": "12"})],
)
def test_a_bare_scalar_becomes_what_its_field_wants(text, value):
    assert Anything.model_validate(tree_of(text).plain()).model_dump(exclude_unset=True) == value


@pytest.mark.parametrize("text", ["number: '12'", "flag: 'true'", "flag: yes", "number: 1.0", "number: 12:30"])
def test_a_quoted_or_foreign_scalar_does_not(text):
    with pytest.raises(ValueError, match="1 validation error"):
        Anything.model_validate(tree_of(text).plain())


@pytest.mark.parametrize(
    ("text", "second", "first"),
    [
        pytest.param("a: 1\nb: 2\na: 3\n", (3, 1), (1, 1), id="y08-top"),
        pytest.param("x:\n  - a: 1\n    a: 2\n", (3, 5), (2, 5), id="y08-nested"),
        pytest.param('a: 1\n"a": 2\n', (2, 1), (1, 1), id="y08-quoted-and-bare"),
        pytest.param("x: {'a': 1, \"\\x61\": 2}\n", (1, 13), (1, 5), id="y08-escaped"),
        pytest.param("é: 1\né: 2\n", (2, 1), (1, 1), id="y08-not-ascii"),
    ],
)
def test_y08_a_duplicate_key_is_refused_and_both_places_are_named(text, second, first):
    [problem] = problems(text)
    assert problem.code == "duplicate-key"
    assert (problem.span.line, problem.span.column) == second
    [related] = problem.related
    assert (related.span.line, related.span.column) == first
    assert f"line {first[0]}" in problem.message


def test_y08_a_duplicate_by_a_merge_key_is_refused_with_the_merge_key():
    assert [problem.code for problem in problems("a: &a {b: 1}\nc: {<<: *a, b: 2}\n")] == ["yaml-merge-key"]


def test_all_problems_of_a_file_come_together():
    found = problems("a: 1\na: 2\nb: !!int 3\nnull: 4\nc: {<<: 5}\n? [d]\n: 6\n")
    assert [problem.code for problem in found] == [
        "duplicate-key",
        "yaml-tag",
        "yaml-key",
        "yaml-merge-key",
        "yaml-key",
    ]


@pytest.mark.parametrize("key", ["null", "~", "[a]", "{a: b}", "?\n"])
def test_a_key_must_be_text(key):
    assert [problem.code for problem in problems(f"a: 1\n{key}: 2\n")] == ["yaml-key"]


def test_an_expression_that_lacks_its_dollar_is_explained():
    [problem] = problems("a: {{ run.start }}\n")
    assert (problem.code, problem.hint) == ("yaml-key", "an expression is written `${{ … }}`")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        pytest.param("subject: issue #5 is open\n", (1, 16, 26), id="y13-cut"),
        pytest.param("channel: #general\n", (1, 10, 18), id="y13-nothing-left"),
        pytest.param("to: [a #b\n  ]\n", (1, 8, 10), id="y13-in-a-list"),
        pytest.param("- x\n- y #1\n", (2, 5, 7), id="y13-item"),
    ],
)
def test_y13_a_comment_that_cuts_a_value_is_a_warning(text, place):
    text = text if not text.startswith("-") else f"list:\n{text}"
    [warning] = tree_of(text).warnings
    assert (warning.code, warning.severity) == ("comment-in-value", Severity.WARNING)
    line = place[0] + text.startswith("list")
    assert (warning.span.line, warning.span.column, warning.span.end_column) == (line, *place[1:])


@pytest.mark.parametrize(
    "text",
    [
        "a: b # five\n",
        "a: b#5\n",
        "a: 'b #5'\n",
        'a: "b" #5\n',
        "#5\na: b\n",
        "a: |\n  b #5\n",
        "a: b ## x\n",
        "a: # x\n  - b\n",
    ],
)
def test_other_comments_are_silent(text):
    assert tree_of(text).warnings == ()


DOCUMENT = """\
name: trips
"quoted key": 'a value'
steps:
  - id: one
    env: {A: x, B: [y, z]}

  # a comment
  - id: two
    text: |
      first
      second

empty:
shared: &anchor
  deep: yes
again: *anchor
"""


@pytest.mark.parametrize(
    ("route", "text"),
    [
        (("name",), "trips"),
        (("quoted key",), "'a value'"),
        (("steps", 0, "env"), "{A: x, B: [y, z]}"),
        (("steps", 0, "env", "B", 1), "z"),
        (("steps", 0), "id: one\n    env: {A: x, B: [y, z]}"),
        (("steps", 1, "text"), "|\n      first\n      second"),
        (("empty",), "empty"),
        (("shared",), "deep: yes"),
        (("again", "deep"), "yes"),
        (("steps", 0, "image"), "id: one\n    env: {A: x, B: [y, z]}"),
        (("steps", 0, "env", "A", "B", 3), "x"),
        (("steps", 7), None),
        (("name", "str"), "trips"),
        (("steps", "0"), None),
    ],
)
def test_a_span_is_that_of_the_longest_part_of_a_route_that_exists(route, text):
    tree = tree_of(DOCUMENT)
    assert written_at(tree, route) == (text if text is not None else written_at(tree, ("steps",)))
    with_crlf = tree_of(DOCUMENT.replace("\n", "\r\n"))
    assert with_crlf.span(route) == tree.span(route)


@pytest.mark.parametrize(
    ("route", "text"),
    [
        (("name",), "name"),
        (("quoted key",), '"quoted key"'),
        (("steps", 0, "env", "B"), "B"),
        (("steps", 1), "id: two\n    text: |\n      first\n      second"),
        (("steps", 1, "absent"), "id: two\n    text: |\n      first\n      second"),
    ],
)
def test_a_span_at_the_key_is_that_of_the_last_key(route, text):
    assert written_at(tree_of(DOCUMENT), route, at_key=True) == text


@pytest.mark.parametrize(
    ("written", "part", "text"),
    [
        ("é ${{ x }} ${{ abc }}", "abc", "abc"),
        ("'é ${{ abc }}'", "abc", "abc"),
        ('"é ${{ abc }}"', "abc", "abc"),
        ("'it''s ${{ a[''x''] }}'", "a['x']", "a[''x'']"),
        ('"\\u00e9 \\"${{ a[\\"x\\"] }}"', 'a["x"]', 'a[\\"x\\"]'),
        ('"a \\\n    b ${{ abc }}"', "abc", "abc"),
        ("é b\n    c ${{ abc }}", "abc", "abc"),
        ("'a\n\n\n    ${{ abc }}'", "abc", "abc"),
        ("|\n    é\n      ${{ abc }}\n", "abc", "abc"),
        ("|2-\n\n      ${{ x }}\n    ${{ abc }}\n", "abc", "abc"),
        (">-  # folded\n    é ${{ x }}\n    ${{ abc }}\n\n      abcd\n", "abcd", "abcd"),
        (">\n    a ${{ abc\n    def }}\n", "abc def", "abc\n    def"),
        ("&anchor abc", "abc", "abc"),
    ],
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_a_part_of_a_scalar_has_its_own_place(written, part, text, line_end):
    tree = tree_of(f"é: [ü]\nx:\n  key: {written}\n".replace("\n", line_end))
    value = tree.plain()["x"]["key"]
    start = value.index(part)
    found = written_at(tree, ("x", "key"), part=Part(start, start + len(part)))
    assert found == text.replace("\n", line_end)


def test_a_part_beyond_the_value_ends_with_the_scalar():
    assert written_at(tree_of("a: 'bc'  # d\n"), ("a",), part=Part(1, 99)) == "c"


def test_an_overlay_merges_maps_replaces_the_rest_and_keeps_places():
    below = tree_of("a: 1\nb: {c: 2, d: [3, 4]}\ne: {f: 5}\n", "below.yaml")
    above = tree_of("\nb:\n  d: [5]\n  g: 6\ne: null\nh: 7\n", "above.yaml")
    merged = below.overlay(above)
    assert merged.plain() == {"a": "1", "b": {"c": "2", "d": ["5"], "g": "6"}, "e": None, "h": "7"}
    assert list(merged.plain()) == ["a", "b", "e", "h"]
    assert (merged.span(("b", "c")).path, merged.span(("b", "c")).line) == ("below.yaml", 2)
    assert (merged.span(("b", "d", 0)).path, merged.span(("b", "d", 0)).line) == ("above.yaml", 3)
    assert merged.span(("b", "absent")).path == "above.yaml"
    assert written_at(merged, ("b",)) == "d: [5]\n  g: 6"
    assert below.plain()["b"] == {"c": "2", "d": ["3", "4"]}
    assert above.plain()["b"] == {"d": ["5"], "g": "6"}


def test_a_tree_can_be_cut():
    tree = tree_of(DOCUMENT)
    assert tree.only("name", "absent").plain() == {"name": "trips"}
    assert list(tree.without("steps", "again").plain()) == ["name", "quoted key", "empty", "shared"]
    subtree = tree.subtree(("steps", 0))
    assert subtree is not None
    assert subtree.span(("id",)) == tree.span(("steps", 0, "id"))
    assert tree.subtree(("name",)) is tree.subtree(("absent",)) is tree.at(("steps", 9)) is None
    assert isinstance(tree.at(("steps",)), yaml.SequenceNode)


def test_a_finding_gets_its_place_its_line_and_its_related_places():
    related = RelatedRoute(("name",), "the other one", at_key=True)
    finding = Finding(("steps", 0, "id"), "code", "message", "hint", related=(related,), severity=Severity.WARNING)
    tree = tree_of(DOCUMENT)
    found = tree.locate(finding)
    assert (found.code, found.message, found.hint, found.severity) == ("code", "message", "hint", "warning")
    assert (found.span, found.source_line) == (tree.span(("steps", 0, "id")), "  - id: one")
    assert found.related[0].span == tree.span(("name",), at_key=True)
    assert not found.secret


@pytest.mark.parametrize(
    ("text", "route"),
    [
        pytest.param("password: [x]\n", ("password",), id="i24-wrong-type"),
        pytest.param("a: {passwrod: x}\n", ("a", "passwrod"), id="i24-misspelt"),
        pytest.param("token:\n  a: 1\n  b: hunter\n", ("token", "b"), id="i24-below"),
        pytest.param("a:\n  - api_key: x\n    b: 1\n", ("a", 0, "absent"), id="i24-missing-beside-it"),
        pytest.param("a: {b: 1, pwd: x}\n", ("a", "b"), id="i24-on-the-same-line"),
    ],
)
def test_i24_a_finding_on_a_line_that_may_show_a_secret_says_so(text, route):
    assert tree_of(text).locate(Finding(route, "code", "message")).secret


def test_i24_a_syntax_error_on_such_a_line_says_so():
    [problem] = problems("a: 1\npassword: @hunter2\n")
    assert problem.secret
    assert "hunter2" not in f"{problem.message} {problem.hint}"


WORDS = st.text(max_size=40).filter(lambda text: not FORBIDDEN.search(text) and "\r" not in text)
TEXTS = WORDS.filter(lambda text: core_value(Plain(text)) == text)
DATA = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | TEXTS,
    lambda items: st.lists(items, max_size=4) | st.dictionaries(TEXTS, items, max_size=4),
    max_leaves=20,
)


def scalars(value: Any, route: Route = ()) -> list[tuple[Route, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if items is None:
        return [(route, value)]
    return [found for key, item in items for found in scalars(item, (*route, key))]


@given(st.dictionaries(TEXTS, DATA, min_size=1, max_size=4), st.booleans(), st.sampled_from([None, True, False]))
@settings(max_examples=150, deadline=None)
def test_data_comes_back_and_each_span_holds_the_text_of_its_scalar(data, allow_unicode, flow_style):
    text = yaml.safe_dump(data, allow_unicode=allow_unicode, default_flow_style=flow_style, width=30)
    tree = tree_of(text)
    assert core_value(tree.plain()) == data
    for route, value in scalars(tree.plain()):
        if isinstance(value, str):
            assert yaml.load(f"x: {written_at(tree, route)}", yaml.BaseLoader) == {"x": value}


def emitted(words: str, style: str) -> str:
    """A map with one value in a style, where PyYAML can write it in that style."""
    key, value = (yaml.ScalarEvent(None, None, (True, True), text) for text in ("é", words))
    value.style = style
    document = [yaml.MappingStartEvent(None, None, True), key, value, yaml.MappingEndEvent()]
    start = [yaml.StreamStartEvent(), yaml.DocumentStartEvent(explicit=False)]
    return yaml.emit([*start, *document, yaml.DocumentEndEvent(explicit=False)], allow_unicode=True, width=10)


@given(WORDS, st.sampled_from(["", "'", '"', "|", ">"]), st.sampled_from(["\n", "\r\n"]))
@settings(max_examples=400, deadline=None)
def test_each_character_of_a_scalar_has_its_place_whatever_the_style(words, style, line_end):
    tree = tree_of(emitted(words, style).replace("\n", line_end))
    value = tree.plain()["é"] or ""
    for start, character in enumerate(value):
        if character not in " \n":  # a folded space has a line break as its place
            found = written_at(tree, ("é",), part=Part(start, start + 1))
            as_written = found in (character, character.replace("'", "''"))
            assert as_written or yaml.load(f'"{found}"', yaml.BaseLoader) == character
