"""References of a valid spec with one mistake in them, and items of one moved to where they are wrong."""

import random
import re
from collections.abc import Iterator

from yaml import MappingNode, ScalarNode

from support.mutations import Entry, Mutation, SpecText, misspelt

STEP_LISTS = ("steps", "on_failure", "on_success", "on_retry", "finally")
REFERENCES = frozenset(
    [
        "needs",
        "server",
        "environment",
        "project",
        "timezone",
        "queue",
        "extends",
        "real",
        "only",
    ]
)
CHOICES = frozenset(
    [
        "catchup",
        "on_conflict",
        "pin",
        "storage",
        "pool",
        "state",
    ]
)
"""Keys whose value is one of a few words."""
DECLARED_ELSEWHERE = frozenset(
    [
        "results",
        "steps",
        "parameters",
    ]
)
"""Maps in tests and in schedules whose keys name what the flow declares."""


def broken_references(chance: random.Random, spec: SpecText, known: set[str]) -> Iterator[Mutation]:
    for start, end in [*_references(spec), *_names_in_expressions(spec)]:
        word = spec.text[start:end]
        new = misspelt(chance, word, known)
        if new:
            yield spec.with_edit("broken reference", start, end, new, word)


def _references(spec: SpecText) -> Iterator[tuple[int, int]]:
    is_test = "tests" in spec.values
    for entry in spec.entries:
        if isinstance(entry.value, ScalarNode) and not entry.value.style and _is_reference(entry, is_test):
            yield entry.value.start_mark.index, entry.value.end_mark.index
        if entry.key is not None and not entry.key.style and _key_is_reference(entry, is_test):
            yield entry.key.start_mark.index, entry.key.end_mark.index


def _is_reference(entry: Entry, is_test: bool) -> bool:
    names = [step for step in entry.route if isinstance(step, str)]
    if not re.fullmatch(r"[A-Za-z][\w/-]*", str(entry.value.value)) or "vars" in names or "lint" in names:
        return False
    if is_test:
        in_test = names[1:2] in (["environment"], ["real"], ["only"], ["from"]) and len(names) == 2
        return in_test or (names[-1] == "state" and "expect" in names)
    if names[-1] == "environments":
        return names[0] == "servers" and isinstance(entry.route[-1], int)
    type_of_step = names[-1] == "type" and names[0] in (*STEP_LISTS, "parameters")
    return names[-1] in REFERENCES | CHOICES or type_of_step


def _key_is_reference(entry: Entry, is_test: bool) -> bool:
    parent = entry.route[-2:-1]
    if parent == ("environment",):
        return True
    in_test = is_test and len(entry.route) <= 5 and parent and parent[0] in DECLARED_ELSEWHERE
    return bool(in_test) or (entry.route[:1] == ("schedules",) and parent == ("parameters",))


_IN_EXPRESSION = (
    r"\bsteps\.([\w-]+)",
    r"\bsteps\.[\w-]+\.(stdout|state|message|exit_code|result|results|elements)\b",
    r"\bparameters\.(\w+)",
    r"(?<![.\w])vars\.(\w+)",
    r"\bmatrix\.(\w+)",
    r"(?<![.\w])(?:run|flow|last_success)\.(\w+)",
    r"\|\s*(\w+)",
    r"(?<![.\w])(\w+)\(",
    r"(?<![.\w'\"-])(steps|parameters|vars|run|flow|last_success|environment|secrets|project|server|item|matrix)(?=[.\s}])",
)


def _names_in_expressions(spec: SpecText) -> Iterator[tuple[int, int]]:
    for entry in spec.entries if "tests" not in spec.values else ():
        if isinstance(entry.value, ScalarNode) and entry.route[-1] != "description":
            start, end = entry.value.start_mark.index, entry.value.end_mark.index
            for first, last in _expressions(spec.text[start:end], entry.route[-1] == "if"):
                yield from _names(spec.text, start + first, start + last)


def _expressions(written: str, is_condition: bool) -> Iterator[tuple[int, int]]:
    found = [match.span(1) for match in re.finditer(r"(?<!\$)\$\{\{(.*?)\}\}", written, re.DOTALL)]
    yield from found or ([(0, len(written))] if is_condition else [])


def _names(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    # What stands in quotes is no name; and a step may be called like a filter, but stands elsewhere.
    bare = re.sub(r"'[^']*'|\"[^\"]*\"", lambda match: " " * len(match[0]), text[start:end])
    for pattern in _IN_EXPRESSION:
        for match in re.finditer(pattern, bare):
            yield start + match.start(1), start + match.end(1)


OF_STEPS = frozenset(
    [
        "retries",
        "retry_delay",
        "timeout",
        "mutex",
        "continue_on_error",
        "max_parallel",
        "working_dir",
        "args",
    ]
)
OF_FLOWS = frozenset(
    [
        "catchup",
        "concurrency",
        "tags",
        "owner",
        "run_name",
        "moved_from",
        "protect",
        "skip_if_late",
        "queue",
    ]
)


def moved_items(spec: SpecText) -> Iterator[Mutation]:
    if "steps" in spec.values:
        yield from _moved_keys(spec)
        yield from _moved_steps(spec)


def _moved_keys(spec: SpecText) -> Iterator[Mutation]:
    """A key of a step between those of the flow, and a key of the flow in its first step."""
    lines = spec.text.splitlines(keepends=True)
    steps = next(entry for entry in spec.entries if entry.route == ("steps",))
    first = next((entry for entry in spec.entries if entry.route == ("steps", 0)), None)
    for entry in spec.entries:
        if entry.key is None or not _is_a_line(entry, lines):
            continue
        at, name = entry.key.start_mark.line, entry.route[-1]
        if len(entry.route) == 3 and entry.route[0] == "steps" and name in OF_STEPS and steps.key is not None:
            yield _moved(lines, at, at + 1, steps.key.start_mark.line, 0, f"`{name}` out of its step")
        if len(entry.route) == 1 and name in OF_FLOWS and first and not getattr(first.value, "flow_style", True):
            column, below = first.value.start_mark.column, first.value.start_mark.line + 1
            yield _moved(lines, at, at + 1, below, column, f"`{name}` into the first step")


def _is_a_line(entry: Entry, lines: list[str]) -> bool:
    """Whether the key and its value are one line and nothing else is in it."""
    assert entry.key is not None
    key, value = entry.key.start_mark, entry.value.end_mark
    alone = lines[key.line].startswith(" " * key.column + str(entry.route[-1]))
    return alone and key.line == entry.value.start_mark.line and value.line <= key.line + 1


def _moved(lines: list[str], first: int, end: int, to: int, column: int | None, what: str) -> Mutation:
    """Lines moved before the line `to`, indented by `column` where that changes; all counted from 0."""
    block = [line if column is None else " " * column + line.lstrip(" ") for line in lines[first:end]]
    rest = [*lines[:first], *lines[end:]]
    place = to if to <= first else to - len(block)
    text = "".join([*rest[:place], *block, *rest[place:]])
    return Mutation("moved item", what, text, range(place + 1, place + 1 + len(block)))


def _moved_steps(spec: SpecText) -> Iterator[Mutation]:
    """A step before one whose result it uses, or which it needs while that one waits for the step before."""
    steps = [entry for entry in spec.entries if len(entry.route) == 2 and entry.route[0] == "steps"]
    lines = spec.text.splitlines(keepends=True)
    if any(not isinstance(it.value, MappingNode) or it.value.flow_style for it in steps):
        return
    starts = [entry.value.start_mark.line for entry in steps]
    for later in range(1, len(steps) - 1):
        block = "".join(lines[starts[later] : starts[later + 1]])
        for earlier in range(later):
            if _goes_wrong(spec.values["steps"][earlier], spec.values["steps"][later], block):
                what = f"step {later} before step {earlier}"
                yield _moved(lines, starts[later], starts[later + 1], starts[earlier], None, what)


def _goes_wrong(earlier: dict[str, object], later: dict[str, object], block: str) -> bool:
    name = str(earlier.get("id"))
    if "needs" not in later:
        return re.search(rf"\bsteps\.{re.escape(name)}\.(stdout|exit_code|result|state)\b", block) is not None
    needs = later["needs"]
    return "needs" not in earlier and name in (needs if isinstance(needs, list) else [needs])
