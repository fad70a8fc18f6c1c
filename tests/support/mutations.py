"""One mistake put into a valid spec, as an author makes it: the text around it stays as it is.

What counts as a key, as a reference and as a type is written down here, by the names of the language, and not
asked of the program that is judged.
"""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from yaml import MappingNode, Node, ScalarNode, SequenceNode

from flowmill.diagnostics import Route
from flowmill.reading.parse import parse_tree
from flowmill.reading.source import Source
from flowmill.reading.tree import Tree


@dataclass(frozen=True)
class Mutation:
    """A mistake in a file.

    Attributes:
        kind: of which sort it is.
        what: for people, what was made of what.
        text: the file with the mistake.
        lines: the lines, counted from 1, that are different from those of the valid file.
        original: the word that was misspelt; empty where there is none.
    """

    kind: str
    what: str
    text: str
    lines: range
    original: str = ""


@dataclass(frozen=True)
class Entry:
    """A key of a file and its value, by their nodes, or an item of a list, which has no key."""

    route: Route
    key: ScalarNode | None
    value: Node


@dataclass(frozen=True)
class SpecText:
    """A valid file: its text, its entries in order, and the plain values."""

    text: str
    entries: tuple[Entry, ...]
    values: dict[str, Any]

    def with_edit(self, kind: str, start: int, end: int, new: str, original: str = "") -> Mutation:
        """The mutation that writes `new` instead of a stretch of one line."""
        line = self.text.count("\n", 0, start) + 1
        what = f"`{self.text[start:end]}` -> `{new}`"
        text = self.text[:start] + new + self.text[end:]
        return Mutation(kind, what, text, range(line, line + 1), original)


def spec_text(name: str, text: str) -> SpecText:
    tree = parse_tree(Source(name, text))
    assert isinstance(tree, Tree), tree
    return SpecText(text, tuple(_entries(tree.root, (), set())), tree.plain())


def _entries(node: Node, route: Route, seen: set[int]) -> Iterator[Entry]:
    """Each place once: what an alias stands for is written elsewhere."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, MappingNode):
        for key, value in node.value:
            yield Entry((*route, key.value), key, value)
            yield from _entries(value, (*route, key.value), seen)
    elif isinstance(node, SequenceNode):
        for index, item in enumerate(node.value):
            yield Entry((*route, index), None, item)
            yield from _entries(item, (*route, index), seen)


NEIGHBOURS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def misspelt(chance: random.Random, word: str, known: set[str]) -> str | None:
    """The word with one slip of a hand; None where ten tries give only words that exist."""
    for _ in range(10):
        slip = chance.choice([_dropped, _doubled, _swapped, _replaced, _wrong_case, _other_dash])
        new = slip(chance, word)
        if new != word and new not in known and re.fullmatch(r"[A-Za-z_][\w/-]*", new):
            return new
    return None


def _dropped(chance: random.Random, word: str) -> str:
    at = chance.randrange(len(word))
    return word[:at] + word[at + 1 :]


def _doubled(chance: random.Random, word: str) -> str:
    at = chance.randrange(len(word))
    return word[: at + 1] + word[at:]


def _swapped(chance: random.Random, word: str) -> str:
    at = chance.randrange(max(1, len(word) - 1))
    return word[:at] + word[at : at + 2][::-1] + word[at + 2 :]


def _replaced(chance: random.Random, word: str) -> str:
    """A letter's neighbour on the keyboard is hit."""
    at = chance.randrange(len(word))
    row = next((row for row in NEIGHBOURS if word[at].lower() in row), "")
    near = row[max(0, row.find(word[at].lower()) - 1) :][:3].replace(word[at].lower(), "")
    return word[:at] + chance.choice(near) + word[at + 1 :] if near else word


def _wrong_case(chance: random.Random, word: str) -> str:
    return chance.choice([word.upper(), word[:1].upper() + word[1:]])


def _other_dash(_: random.Random, word: str) -> str:
    return word.translate({ord("_"): "-", ord("-"): "_"})


NAMES_BELOW = frozenset(
    [
        "env",
        "vars",
        "parameters",
        "matrix",
        "environments",
        "servers",
        "queues",
        "secrets",
        "templates",
        "results",
        "steps",
        "outputs",
        "rules",
        "policies",
    ]
)
"""Keys whose map has names of the author's own as keys; `steps` only where it is a map, in tests."""
FREE_BELOW = frozenset(
    [
        "vars",
        "blocks",
        "default",
        "choices",
        "outputs",
        "secrets",
        "env",
        "minimum",
        "maximum",
        "lint",
        "headers",
    ]
)
"""Keys below which nothing belongs to the language; what `lint` holds has tests of its own."""


def keys(spec: SpecText) -> list[Entry]:
    """The entries whose key is a word of the language."""
    return [entry for entry in spec.entries if entry.key is not None and _is_language(entry.route)]


def _is_language(route: Route) -> bool:
    if any(step in FREE_BELOW for step in route[:-1]) and not _is_declaration_of_secret(route):
        return False
    parent = route[-2] if len(route) > 1 else None
    return parent not in (*NAMES_BELOW, "environment") and not _is_text_of_elements(route)


def _is_declaration_of_secret(route: Route) -> bool:
    return route[0] == "secrets" and len(route) == 3


def _is_text_of_elements(route: Route) -> bool:
    """Below `foreach` and `matrix` stand values of the author's own."""
    return any(step in ("foreach", "matrix") for step in route[:-1])


def misspelt_keys(chance: random.Random, spec: SpecText, known: set[str]) -> Iterator[Mutation]:
    for entry in keys(spec):
        new = misspelt(chance, str(entry.route[-1]), known)
        if new and entry.key is not None and not entry.key.style:
            start, end = entry.key.start_mark.index, entry.key.end_mark.index
            yield spec.with_edit("misspelt key", start, end, new, str(entry.route[-1]))


NUMBERS = frozenset(
    [
        "retries",
        "retry_backoff",
        "max_parallel",
        "pull_retries",
        "attempts",
        "elements",
        "exit_code",
        "minimum",
        "maximum",
    ]
)
DURATIONS = frozenset(
    [
        "retry_delay",
        "timeout",
        "skip_if_late",
    ]
)
FLAGS = frozenset(
    [
        "paused",
        "protect",
        "continue_on_error",
        "fail_fast",
        "permanent",
    ]
)
TEXTS = frozenset(
    [
        "id",
        "name",
        "type",
        "project",
        "server",
        "cron",
        "timezone",
        "description",
        "owner",
        "run_name",
        "moved_from",
        "queue",
        "mutex",
        "image",
        "subject",
        "extends",
        "working_dir",
        "repository",
        "repository_token",
        "from",
        "ref",
        "smtp",
        "webhook",
        "channel",
    ]
)
LISTS = frozenset(
    [
        "steps",
        "on_failure",
        "on_success",
        "on_retry",
        "finally",
        "schedules",
        "tests",
        "order",
    ]
)
MAPS = frozenset(
    [
        "parameters",
        "env",
        "vars",
        "matrix",
        "last_success",
        "environments",
        "servers",
        "templates",
        "expect",
        "results",
    ]
)
WRONG: dict[str, tuple[frozenset[str], tuple[str, ...]]] = {
    "number": (NUMBERS | DURATIONS, ("many", "[1]", "{a: 1}", "two hours ago")),
    "flag": (FLAGS, ("maybe", "[true]", "{a: true}", "2")),
    "text": (TEXTS, ("[a, b]", "{a: b}")),
    "list": (LISTS, ("everything", "5", "{a: b}")),
    "map": (MAPS, ("everything", "5", "[a, b]")),
}


def wrong_types(chance: random.Random, spec: SpecText) -> Iterator[Mutation]:
    for entry in keys(spec):
        name = entry.route[-1]
        choices = [wrong for names, wrong in WRONG.values() if name in names]
        # What tests of a flow expect of a text may be a map; and `steps` is a map there.
        in_expectation = "expect" in entry.route[:-1]
        if entry.key is not None and choices and not in_expectation and not _is_alias(spec, entry):
            new = chance.choice(choices[0])
            yield _with_value(spec, entry, new, f"wrong type of `{name}`: {new}")


def _is_alias(spec: SpecText, entry: Entry) -> bool:
    assert entry.key is not None
    return bool(re.match(r"\s*:\s*[*&]", spec.text[entry.key.end_mark.index :]))


def _with_value(spec: SpecText, entry: Entry, new: str, what: str) -> Mutation:
    """The value replaced behind its key, so that it stands on the key's line."""
    assert entry.key is not None
    start = entry.key.end_mark.index
    end = max(start + 1, _end(spec, entry.value))
    tail = "\n" if spec.text[end - 1 : end] == "\n" else ""
    mutation = spec.with_edit("wrong type", start, end, f": {new}{tail}")
    return Mutation(mutation.kind, what, mutation.text, mutation.lines)


def _end(spec: SpecText, value: Node) -> int:
    """Where a value ends, without what follows a block: PyYAML counts the blank lines and comments after it."""
    start, end = value.start_mark.index, value.end_mark.index
    lines = spec.text[start:end].splitlines(keepends=True)
    in_one_piece = value.style not in ("|", ">") if isinstance(value, ScalarNode) else value.flow_style
    if in_one_piece:
        return end
    while lines and (not lines[-1].strip() or lines[-1].lstrip().startswith("#")):
        lines.pop()
    return start + len("".join(lines).rstrip(" ")) if lines else end
