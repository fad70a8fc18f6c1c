"""YAML that is written to crash, to flood or to deceive ends in a diagnostic, soon, and in little memory."""

import json
import os
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowmill.diagnostics import Diagnostic
from flowmill.reading.document import DEPTH_LIMIT
from flowmill.reading.file import SIZE_LIMIT
from flowmill.reading.parse import parse_tree
from flowmill.reading.source import Source
from flowmill.reading.tree import Tree
from support.waiting import LEEWAY, PATIENCE

READ_ALONE = """
import json, resource, sys, time
if sys.argv[1] == "without libyaml":
    sys.modules["yaml._yaml"] = None
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
from flowmill.reading.source import Source
from flowmill.reading.parse import parse_tree
from flowmill.reading.tree import Tree

def read(text):
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    tree = parse_tree(Source("flow.yaml", text))
    return {
        "seconds": time.process_time() - start,
        "codes": [] if isinstance(tree, Tree) else [problem.code for problem in tree],
        "plain": tree.plain() if isinstance(tree, Tree) else None,
        "megabytes": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024,
    }

print(json.dumps([read(text) for text in json.load(sys.stdin)]))
"""


def read_alone(*texts: str, parser: str = "with libyaml") -> list[dict]:
    """Read in a process of its own, with 1 GiB of address space: a crash of the process is a failed test."""
    done = subprocess.run(
        [sys.executable, "-c", READ_ALONE, parser],
        input=json.dumps(texts).encode(),
        capture_output=True,
        timeout=PATIENCE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return json.loads(done.stdout)


def codes(text: str) -> list[str]:
    found = parse_tree(Source("flow.yaml", text))
    return [] if isinstance(found, Tree) else [problem.code for problem in found]


def refused(text: str) -> Diagnostic:
    found = parse_tree(Source("flow.yaml", text))
    assert isinstance(found, list)
    return found[0]


def bomb(levels: int, width: int) -> str:
    """`width ** levels` values in a few hundred bytes."""
    lines = ["env:", f"  a0: &a0 [{', '.join(['lol'] * width)}]"]
    for level in range(1, levels):
        lines.append(f"  a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * width)}]")
    return "\n".join(lines) + "\n"


def merge_bomb(levels: int, width: int) -> str:
    lines = [f"a0: &a0 {{{', '.join(f'k{index}: v' for index in range(width))}}}"]
    for level in range(1, levels):
        lines.append(f"a{level}: &a{level}\n  <<: [{', '.join([f'*a{level - 1}'] * width)}]")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param("[" * 100_000, "yaml-depth", id="y01-open-lists"),
        pytest.param("{a: " * 100_000, "yaml-depth", id="y02-open-maps"),
        pytest.param("- " * 100_000, "yaml-depth", id="y02-nested-items"),
        pytest.param("? " * 100_000, "yaml-depth", id="y02-nested-keys"),
        pytest.param("a: " + "[" * 30_000 + "]" * 30_000, "yaml-depth", id="y02-closed-lists"),
        pytest.param("\n".join(" " * level + "a:" for level in range(1_000)), "yaml-depth", id="y02-indented"),
        pytest.param(bomb(9, 10), "yaml-alias", id="y04-billion-laughs"),
        pytest.param(merge_bomb(9, 8), "yaml-merge-key", id="y05-merge-key-bomb"),
        pytest.param(f"a: &a {'x' * 100_000}\nb: [{'*a, ' * 10_000}]\n", "yaml-alias", id="y06-long-text"),
        pytest.param(
            "".join(f"%TAG !a{index}! !x\n" for index in range(50_000)) + "---\na: 1\n",
            "yaml-directive",
            id="many-directives",
        ),
        pytest.param(
            "a: 1\n...\n" + "".join(f"%TAG !a{index}! !x\n" for index in range(50_000)),
            "yaml-directive",
            id="many-directives-at-the-end",
        ),
    ],
)
def test_a_bomb_is_refused_soon_and_within_100_megabytes(text, code):
    [report] = read_alone(text)
    assert code in report["codes"]
    assert report["seconds"] < LEEWAY
    assert report["megabytes"] < 100


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        pytest.param("a: " + "[" * 63 + "]" * 63, 64, id="y03-lists"),
        pytest.param("{a: " * 63 + "x" + "}" * 63, 64, id="y03-maps"),
        pytest.param("a:\n  " + "- " * 62 + "x", 64, id="y03-items"),
    ],
)
def test_y03_as_many_levels_as_the_limit_are_accepted_and_one_more_is_not(text, levels):
    assert levels == DEPTH_LIMIT
    assert codes(text) == []
    deeper = text.replace("[]", "[[]]").replace("x", "[x]")
    problem = refused(deeper)
    assert problem.code == "yaml-depth"
    assert problem.span.line == deeper[: deeper.rindex("[")].count("\n") + 1


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param("a: &a [*a]\n", "yaml-alias", id="y07-list"),
        pytest.param("a: &a {b: {c: *a}}\n", "yaml-alias", id="y07-map"),
        pytest.param("a: &a\n  b: &b [*a, *b]\n", "yaml-alias", id="y07-two-cycles"),
        pytest.param("a: &a\n  <<: *a\n", "yaml-merge-key", id="y07-merge"),
        pytest.param("a: &a\n  ? *a\n  : b\n", "yaml-key", id="y07-key"),
        pytest.param("&a a: {b: 1}\nc: &c\n  ? [*c]\n  : d\n", "yaml-key", id="y07-key-in-a-list"),
    ],
)
def test_y07_a_value_that_contains_itself_is_refused(text, code):
    assert code in codes(text)


def test_aliases_within_the_limits_are_accepted():
    text = "a: &a [x, y]\nb: *a\nc: {d: *a, e: &e text}\nf: *e\n"
    tree = parse_tree(Source("flow.yaml", text))
    assert isinstance(tree, Tree)
    assert tree.plain() == {
        "a": ["x", "y"],
        "b": ["x", "y"],
        "c": {"d": ["x", "y"], "e": "text"},
        "f": "text",
    }


@pytest.mark.parametrize(("repetitions", "expected"), [(333, []), (334, ["yaml-alias"])])
def test_the_limit_of_repeated_values_is_exact(repetitions, expected):
    """Each alias repeats three values: the list and what is in it."""
    assert codes(f"a: &a [x, y]\nb: [{'*a, ' * repetitions}]\n") == expected


def test_aliases_that_nest_deeper_than_the_limit_are_refused():
    chain = "".join(f"a{index}: &a{index} [*a{index - 1}]\n" for index in range(1, 70))
    assert codes("a0: &a0 x\n" + chain) == ["yaml-alias"]


def test_a_wide_alias_that_is_repeated_often_takes_no_time():
    text = f"a: &a [{'x, ' * 100_000}]\nb: [{'*a, ' * 100_000}]\n"
    [report] = read_alone(text)
    assert report["codes"] == ["yaml-alias"]
    assert report["seconds"] < LEEWAY


@pytest.mark.parametrize(
    "value",
    [
        pytest.param('!!python/object/apply:os.system ["touch {canary}"]', id="y14-python-object"),
        pytest.param("!foo bar", id="y14-own"),
        pytest.param("!!binary aGVsbG8=", id="y14-binary"),
        pytest.param("!!set {a, b}", id="y14-set"),
        pytest.param("!!timestamp nope", id="y14-timestamp"),
        pytest.param("!!bool maybe", id="y14-bool"),
        pytest.param("!!int x", id="y14-int"),
        pytest.param("!!str 1", id="y14-str"),
        pytest.param("! x", id="y14-non-specific"),
        pytest.param("!<tag:yaml.org,2002:str> x", id="y14-verbatim"),
        pytest.param("&a !!str x", id="y14-behind-an-anchor"),
        pytest.param("!!str &a x", id="y14-before-an-anchor"),
        pytest.param("!e!x y", id="y14-unknown-handle"),
    ],
)
def test_y14_a_tag_is_refused_and_does_nothing(value, tmp_path):
    canary = tmp_path / "canary"
    problem = refused("name: it\nvalue: " + value.replace("{canary}", str(canary)) + "\n")
    assert problem.code == "yaml-tag"
    assert (problem.span.line, problem.span.column) == (2, 8 + 3 * value.startswith("&a"))
    assert not canary.exists()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("2026-13-45", id="y15-impossible-date"),
        pytest.param("2026-01-01T00:00:00+25:00", id="y15-impossible-offset"),
        pytest.param("9" * 5_000, id="y15-5000-digits"),
        pytest.param(":".join(["59"] * 200_000), id="y15-600-kilobytes-of-sexagesimal"),
    ],
)
def test_y15_what_other_parsers_choke_on_is_text(text):
    [report] = read_alone(f"value: {text}\n")
    assert report["plain"] == {"value": text}
    assert report["seconds"] < LEEWAY


ESCAPES = [
    pytest.param(r"\0", id="y18-nul"),
    pytest.param(r"\a", id="y18-bell"),
    pytest.param(r"\x07", id="y18-bell-in-hexadecimal"),
    pytest.param(r"\e[31m", id="y18-escape-sequence"),
    pytest.param(r"\x7f", id="y18-delete"),
    pytest.param(r"\x9b31m", id="y18-c1"),
    pytest.param(r"\r", id="y18-carriage-return"),
    pytest.param(r"\uffff", id="y18-not-a-character"),
    pytest.param(r"\ud800", id="y18-lone-surrogate"),
    pytest.param(r"\ud83d\ude00", id="y18-surrogate-pair"),
    pytest.param(r"\L", id="y18-line-separator"),
    pytest.param(r"\u202e", id="y19-bidi-override"),
    pytest.param(r"\u200b", id="y19-zero-width"),
]


@pytest.mark.parametrize("escape", ESCAPES)
def test_y18_a_forbidden_character_cannot_be_escaped_into_a_value_or_a_key(escape):
    assert codes(f'env: {{name: "it {escape}"}}\n') == ["yaml-character"]
    assert codes(f'env: {{"it {escape}": 1}}\n') == ["yaml-character"]


def test_y18_without_libyaml_it_cannot_be_escaped_either():
    texts = [f'env: {{name: "it {escape.values[0]}"}}\n' for escape in ESCAPES]
    for text, report in zip(texts, read_alone(*texts, parser="without libyaml"), strict=True):
        assert set(report["codes"]) == {"yaml-character"}, text


def test_an_escape_that_can_be_seen_is_a_value():
    tree = parse_tree(Source("flow.yaml", r'a: "tab \t line \n é \xe9 \u00e9 quote \" \\"' + "\n"))
    assert isinstance(tree, Tree)
    assert tree.plain() == {"a": 'tab \t line \n é é é quote " \\'}


@pytest.mark.parametrize(
    ("character", "name"),
    [
        pytest.param("\u202e", "right-to-left override", id="y19-override"),
        pytest.param("\u2066", "left-to-right isolate", id="y19-isolate"),
        pytest.param("\u200b", "zero width space", id="y19-zero-width-space"),
        pytest.param("\u200d", "zero width joiner", id="y19-joiner-between-letters"),
        pytest.param("\ufeff", "zero width no-break space", id="y19-byte-order-mark-inside"),
        pytest.param("\xad", "soft hyphen", id="y19-soft-hyphen"),
        pytest.param("\U000e0041", "tag latin capital letter a", id="y19-tag-character"),
        pytest.param("\u2028", "line separator", id="y18-line-separator"),
        pytest.param("\x85", "a control character", id="y18-next-line"),
        pytest.param("\x1b", "a control character", id="y18-escape"),
    ],
)
@pytest.mark.parametrize(
    "text", ["ké{}y: value\n", "a: 'val{}ue'\n", "a: |\n  val{}ue\n", "a: b # comm{}ent\n"], ids=str.strip
)
def test_y19_a_character_that_deceives_is_refused_wherever_it_stands(character, name, text):
    problem = refused(text.format(character))
    assert problem.code == "yaml-character"
    assert f"U+{ord(character):04X} ({name})" in problem.message
    before = text[: text.index("{")]
    assert problem.span.line == before.count("\n") + 1
    assert problem.span.column == len(before) - before.rfind("\n")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("text: naïve — “quoted” 日本語 ½\n", id="other-scripts"),
        pytest.param("text: 👩‍💻 🏳️‍🌈 done\n", id="joined-emoji"),
        pytest.param("ключ: значение\n", id="a-key-in-cyrillic"),
    ],
)
def test_characters_that_can_be_seen_are_accepted(text):
    assert codes(text) == []


def test_thousands_of_forbidden_characters_are_reported_briefly():
    found = parse_tree(Source("flow.yaml", "a: " + "\u200b" * 100_000))
    assert isinstance(found, list)
    assert len(found) == 20


def test_thousands_of_duplicates_are_reported_briefly():
    found = parse_tree(Source("flow.yaml", "a: 1\n" * 50_000))
    assert isinstance(found, list)
    assert [problem.code for problem in found] == ["duplicate-key"] * 100


def test_without_libyaml_the_same_is_refused():
    texts = [
        "[" * 1_000,
        "a: &a [*a]\n",
        "a: 1\na: 2\n",
        "a: !!binary x\n",
        "a: 1\n---\nb: 2\n",
        "cron: * * * * *\n",
        "a:\n\tb: 1\n",
        'a: "open\n',
        "a: *missing\n",
        "a: &x 1\nb: &x 2\n",
        "a: b: c\n",
        "a: [1, 2\nb: 3\n",
        "- a\n",
        "",
    ]
    for text, report in zip(texts, read_alone(*texts, parser="without libyaml"), strict=True):
        assert report["codes"] == codes(text) != [], text


def test_without_libyaml_a_document_means_the_same():
    text = "a: on\nb: '2'\nc: [1.10, ~, x y]\nd: |\n  text\ne: {f: \"\\n\"}\n"
    [report] = read_alone(text, parser="without libyaml")
    tree = parse_tree(Source("flow.yaml", text))
    assert isinstance(tree, Tree)
    assert report["plain"] == tree.plain()


YAML_CHARACTERS = st.text(st.sampled_from("ab1 \n\t:-?[]{},#&*!|>'\"%@`\\~<=.\r\0é\u202e$"), max_size=60)


@given(text=YAML_CHARACTERS)
@settings(max_examples=1_500, deadline=None)
def test_any_text_is_a_document_or_has_problems_with_places(text):
    found = parse_tree(Source("flow.yaml", text))
    lines = text.split("\n")
    for problem in found.warnings if isinstance(found, Tree) else found:
        assert 1 <= problem.span.line <= len(lines)
        assert 1 <= problem.span.column <= len(lines[problem.span.line - 1]) + 1
    assert isinstance(found, Tree) or found


@pytest.mark.parametrize("name", ["truncated", "doubled", "deleted"])
def test_a_spec_with_a_mistake_at_any_character_raises_nothing(name):
    for index in range(len(SPEC)):
        mutant = {
            "truncated": SPEC[:index],
            "doubled": SPEC[:index] + SPEC[index] + SPEC[index:],
            "deleted": SPEC[:index] + SPEC[index + 1 :],
        }[name]
        found = parse_tree(Source("flow.yaml", mutant))
        assert isinstance(found, Tree) or all(problem.message for problem in found)


SPEC = """\
description: "Trips: hourly"
environment: [staging, 'production']   # both
cron: "*/15 * * * *"
env: &env {LEVEL: info, NAME: "caf\\u00e9"}
steps:
  - id: extract
    command: [python, x.py, "${{ run.start | date('%Y') }}"]
    env: *env
  - id: mail
    text: |
      All is loaded.

      Bye.
    subject: >-
      Trips
      loaded
"""


def test_a_file_of_almost_the_largest_size_is_read():
    text = "steps:\n" + "  - {id: a, command: [b, c]}\n" * 36_000
    assert 0.9 * SIZE_LIMIT < len(text) < SIZE_LIMIT
    [report] = read_alone(text)
    assert report["codes"] == []
    assert len(report["plain"]["steps"]) == 36_000
