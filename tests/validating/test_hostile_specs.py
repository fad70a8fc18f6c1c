"""Specs that were made to crash, to stall or to mislead whoever reads them: one answer for all, in time.

All of them lie in one workspace, and one process with a gigabyte of memory and ten seconds reads them.
"""

import json
import random
import re
import shutil
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest

from flowmill.proving import prove
from flowmill.report import names, render
from flowmill.report.style import Style
from golden.corpus import PROJECT, WORKSPACE, ok_cases
from validating.command import Ran, flowmill

HEAD = "project: demo\nenvironment: staging\n"
STEPS = "steps:\n  - {id: load, type: script, command: echo done}\n"
MUTANTS = 3000


def with_vars(value: str) -> str:
    """A flow with a value in a place that takes anything."""
    return f"{HEAD}vars:\n  deep: {value}\n{STEPS}"


def bomb(levels: int, width: int, merge: str = "") -> str:
    """Aliases of aliases: `width` to the power of `levels` values."""
    first = "  a0: &a0 {x: 1}\n" if merge else "  a0: &a0 [x]\n"
    lines = []
    for level in range(1, levels + 1):
        again = ", ".join([f"*a{level - 1}"] * width)
        lines.append(f"  a{level}: &a{level} " + (f"{{{merge}: [{again}]}}\n" if merge else f"[{again}]\n"))
    return f"{HEAD}vars:\n{first}{''.join(lines)}{STEPS}"


def chain(times: int, length: int, *, upwards: bool = False) -> str:
    """Steps that each refer, so many times, to the folder of the one before (or, upwards, after)."""
    steps = ["  - {id: s0, type: script, command: [echo], working_dir: data}\n"]
    for number in range(1, length):
        reference = f"${{{{ steps.s{number - 1}.working_dir }}}}" * times
        steps.append(f"  - {{id: s{number}, type: script, command: [echo], working_dir: '{reference}'}}\n")
    return f"{HEAD}steps:\n{''.join(reversed(steps) if upwards else steps)}"


def odd(text: str) -> str:
    """A flow with an odd text in the places that people read."""
    return f'{HEAD}description: "{text}"\n{STEPS}'


HOSTILE: dict[str, tuple[str | bytes, str]] = {
    "y01-lists": ("[" * 100_000, "yaml-depth"),
    "y01-lists-in-a-flow": (with_vars("[" * 100_000), "yaml-depth"),
    "y02-maps": ("{a: " * 100_000, "yaml-depth"),
    "y02-items": ("- " * 100_000, "yaml-depth"),
    "y02-keys": ("? " * 100_000, "yaml-depth"),
    "y02-closed": (with_vars("[" * 30_000 + "]" * 30_000), "yaml-depth"),
    "y04-billion-laughs": (bomb(9, 10), "yaml-alias"),
    "y05-merge-keys": (bomb(8, 9, merge="<<"), "yaml-merge-key"),
    "y06-long-text": (f"{HEAD}vars:\n  a: &a {'x' * 100_000}\n  b: [{'*a, ' * 10_000}]\n{STEPS}", "yaml-alias"),
    "y07-list": (with_vars("&a [*a]"), "yaml-alias"),
    "y07-map": (with_vars("&a {b: {c: *a}}"), "yaml-alias"),
    "y07-merge": (with_vars("&a {<<: *a}"), "yaml-merge-key"),
    "y07-key": (with_vars("&a {? *a : b}"), "yaml-key"),
    "y18-nul": (odd("a\0b"), "yaml-character"),
    "y18-bell": (odd("a\x07b"), "yaml-character"),
    "y18-escape-sequence": (odd("\x1b[2J\x1b[31mred"), "yaml-character"),
    "y18-delete": (odd("a\x7fb"), "yaml-character"),
    "y18-c1": (odd("a\x9b31mb"), "yaml-character"),
    "y18-no-character": (odd("a\uffffb"), "yaml-character"),
    "y18-surrogate": (odd("a{}b").encode().replace(b"{}", b"\xed\xa0\x80"), "yaml-encoding"),
    "y18-escaped-nul": (odd(r"a\0b"), "yaml-character"),
    "y18-escaped-escape": (odd(r"\e[31mred"), "yaml-character"),
    "y19-bidi": (odd("a\u202eb"), "yaml-character"),
    "y19-escaped-bidi": (odd(r"a\u202eb"), "yaml-character"),
    "y19-zero-width-key": (f"{HEAD}ste\u200bps: []\n{STEPS}", "yaml-character"),
    "y19-name-of-two-forms": (HEAD + STEPS.replace("load", "e\u0301"), "bad-name"),
    "y19-name-in-cyrillic": (HEAD + STEPS.replace("load", "lоad"), "bad-name"),
    "y21-a-byte-too-much": ("#" * (1024**2 + 1), "file-size"),
    "y21-one-long-line": (b"a: " + b"x" * 50_000_000, "file-size"),
    "y21-ten-megabytes": (HEAD + "steps:\n" + "  - {id: a, type: script}\n" * 400_000, "file-size"),
    "long-expression": (odd("${{ " + "(" * 100_000 + " }}"), "bad-expression"),
    "deep-expression": (odd("${{ " + "(" * 900 + "1" + ")" * 900 + " }}"), "bad-expression"),
    "expressions-without-end": (odd("${{ a" * 20_000), "bad-expression"),
    "long-cron": (f'{HEAD}cron: "{"1," * 200_000}1 * * * *"\n{STEPS}', "bad-cron"),
    "long-zone": (f"{HEAD}timezone: {'../' * 100_000}etc/passwd\n{STEPS}", "unknown-timezone"),
    "long-key": (f"{HEAD}{'k' * 500_000}: 1\n{STEPS}", "yaml-syntax"),
    "long-number": (f"{HEAD}concurrency: {'9' * 500_000}\n{STEPS}", "wrong-type"),
    "references-that-double": (chain(2, 60), "bad-expression"),
    "references-in-a-row": (chain(1, 100, upwards=True), "bad-expression"),
    "many-steps": (
        HEAD + "steps:\n" + "".join(f"  - {{id: s{n}, type: dokcer}}\n" for n in range(300)),
        "unknown-type",
    ),
}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ran]:
    """What `flowmill validate` says about all of them at once, in each format."""
    folder = tmp_path_factory.mktemp("hostile")
    shutil.copytree(WORKSPACE, folder / "specs")
    for name, (content, _) in HOSTILE.items():
        data = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
        (folder / f"specs/{PROJECT}/{name}.yaml").write_bytes(data)
    return {name: flowmill("validate", "--format", name, cwd=folder) for name in names()}


@pytest.mark.parametrize("name", names())
def test_hostile_specs_are_refused_in_time(ran: dict[str, Ran], name: str) -> None:
    assert (ran[name].code, ran[name].err) == (1, b"")


@pytest.mark.parametrize("name", names())
def test_y18_no_control_character_reaches_the_output(ran: dict[str, Ran], name: str) -> None:
    odd = re.findall(r"[^\n -~]", ran[name].text)
    assert set(odd) <= set("…оéÂ\u0301"), "only what can be seen"


@pytest.mark.parametrize(("name", "code"), [(name, code) for name, (_, code) in HOSTILE.items()], ids=list(HOSTILE))
def test_a_hostile_spec_is_refused_for_what_is_wrong_with_it(ran: dict[str, Ran], name: str, code: str) -> None:
    found = json.loads(ran["json"].out)["diagnostics"]
    assert {entry["code"] for entry in found if entry["path"] == f"specs/{PROJECT}/{name}.yaml"} >= {code}


def test_no_message_is_as_long_as_what_it_is_about(ran: dict[str, Ran]) -> None:
    lengths = {len(line) for line in ran["text"].text.splitlines()}
    assert max(lengths) < 1000


# Mutants: right specs with one mistake somewhere.

Mutation = Callable[[bytes, random.Random], bytes]


def at(data: bytes, dice: random.Random) -> int:
    return dice.randrange(len(data))


def delete(data: bytes, dice: random.Random) -> bytes:
    place = at(data, dice)
    return data[:place] + data[place + 1 :]


def double(data: bytes, dice: random.Random) -> bytes:
    place = at(data, dice)
    return data[: place + 1] + data[place:]


def swap(data: bytes, dice: random.Random) -> bytes:
    place = at(data, dice)
    return data[:place] + data[place : place + 2][::-1] + data[place + 2 :]


def cut_off(data: bytes, dice: random.Random) -> bytes:
    return data[: at(data, dice)]


def overwrite(data: bytes, dice: random.Random) -> bytes:
    place = at(data, dice)
    return data[:place] + dice.choice(b"[]{}:,&*#?|-!%@`'\"\t\n \\$<>0\xff").to_bytes() + data[place + 1 :]


def replace_value(data: bytes, dice: random.Random) -> bytes:
    """Another kind of value behind a key: what a model, a check or the planning may not expect."""
    keys = list(re.finditer(rb"(?m)(?<=[\w\"]: )[^\n]+", data))
    found = dice.choice(keys)
    values = (
        b"",
        b"null",
        b"[]",
        b"{}",
        b"[[]]",
        b"{a: }",
        b"[null]",
        b"0",
        b"-1",
        b'""',
        b'"${{ x }}"',
        b"${{ run.id }}",
    )
    return data[: found.start()] + dice.choice(values) + data[found.end() :]


def move_line(data: bytes, dice: random.Random) -> bytes:
    lines = data.splitlines(keepends=True)
    line = lines.pop(dice.randrange(len(lines)))
    lines.insert(dice.randrange(len(lines) + 1), dice.choice((b"", b"  ")) + line)
    return b"".join(lines)


MUTATIONS: tuple[Mutation, ...] = (delete, double, swap, cut_off, overwrite, replace_value, replace_value, move_line)


def mutants(seed: int) -> list[bytes]:
    """Mutants of the right specs of the golden corpus."""
    dice = random.Random(seed)
    specs = [case.source.read_bytes() for case in ok_cases() if case.source.is_file()]
    return [dice.choice(MUTATIONS)(dice.choice(specs), dice) for _ in range(MUTANTS)]


@pytest.mark.filterwarnings("ignore:invalid escape sequence")  # of Jinja, about a mutant's text
def test_y29_a_spec_with_any_mistake_has_an_answer(tmp_path: Path) -> None:
    shutil.copytree(WORKSPACE, tmp_path / "specs")
    for number, data in enumerate(mutants(seed=20260403)):
        (tmp_path / f"specs/{PROJECT}/m{number:04}.yaml").write_bytes(data)
    with chdir(tmp_path):
        compiled = prove(Path("specs"))
    right = {name for name, _ in compiled.plans}
    wrong = {diagnostic.span.path for diagnostic in compiled.diagnostics}
    assert len(right) > MUTANTS // 20
    assert len(right) + len(wrong) >= MUTANTS, "each is planned, or has a diagnostic"
    for name in names():
        assert render(compiled, name, Style(colour=True))


@pytest.mark.filterwarnings("ignore:invalid escape sequence")
def test_y29_the_answer_is_the_same_every_time(tmp_path: Path) -> None:
    shutil.copytree(WORKSPACE, tmp_path / "specs")
    for number, data in enumerate(mutants(seed=7)[:200]):
        (tmp_path / f"specs/{PROJECT}/m{number:04}.yaml").write_bytes(data)

    def answer() -> Any:
        return render(prove(tmp_path / "specs"), "json", Style())

    assert answer() == answer()
