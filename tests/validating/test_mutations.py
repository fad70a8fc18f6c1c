"""One mistake in a valid spec: the first diagnostic names its line, and the hint the word that was meant."""

import random
import re
import shutil
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from flowmill.diagnostics import Diagnostic
from flowmill.proving import prove
from golden.corpus import PROJECT, TODAY, WORKSPACE, ok_cases
from support.features import SPECS
from support.mutated_references import broken_references, moved_items
from support.mutations import Mutation, SpecText, keys, misspelt_keys, spec_text, wrong_types

EXAMPLES = SPECS.parent / "docs/examples/specs"
WANTED = {"misspelt key": 200, "broken reference": 200, "wrong type": 150, "moved item": 100}
"""How many mutations of each kind; fewer where there are not that many."""


@dataclass(frozen=True)
class Base:
    """A valid file of a workspace, and what to look at so that it is judged."""

    root: Path
    file: Path
    spec: SpecText

    @property
    def judged(self) -> Path:
        """The file itself; of one that only others use, a flow that does."""
        if self.file.name == "flowmill.yaml":
            return sorted(self.root.glob("*/project.yaml"))[0].parent
        return self.file.parent if self.file.name == "project.yaml" else self.file

    def diagnostics(self, text: str) -> tuple[Diagnostic, ...]:
        """What flowmill says with this text in the file."""
        self.file.write_text(text, encoding="utf-8")
        try:
            return prove(self.root, frozenset({self.judged.absolute()}), today=TODAY).diagnostics
        finally:
            self.file.write_text(self.spec.text, encoding="utf-8")


@dataclass(frozen=True)
class Outcome:
    base: Base
    mutation: Mutation
    diagnostics: tuple[Diagnostic, ...]

    @property
    def names_the_line(self) -> bool:
        first = next(iter(self.diagnostics), None)
        return first is not None and first.span.path == str(self.base.file) and first.span.line in self.mutation.lines

    @property
    def names_the_word(self) -> bool:
        """Whether the hint says what was meant: `word`, or `key: word`."""
        meant = rf"[` ]{re.escape(self.mutation.original)}`"
        return (
            bool(self.diagnostics)
            and re.search(meant, self.diagnostics[0].hint.partition("expected one of")[0]) is not None
        )

    def __str__(self) -> str:
        said = [f"    {it.span.line}: {it.message} [{it.code}] {it.hint[:90]}" for it in self.diagnostics[:4]]
        place = f"{self.base.file.parent.name}/{self.base.file.name}:{self.mutation.lines.start}"
        return "\n".join([f"{place} {self.mutation.kind}: {self.mutation.what}", *said])


def workspaces(folder: Path) -> Iterator[Path]:
    """Copies of the specs that ship, of those of the documentation and of all that are right in the corpus."""
    for source in (SPECS, EXAMPLES):
        yield shutil.copytree(source, folder / source.parent.name, symlinks=True)
    golden = shutil.copytree(WORKSPACE, folder / "golden")
    for case in ok_cases():
        specs = case.source / "specs"
        if case.source.is_file() and case.name != "bom-and-crlf":
            for file in case.files:
                shutil.copy(file, golden / PROJECT / file.name)
        elif specs.is_dir() and not (case.source / "setup.sh").exists():
            yield shutil.copytree(specs, folder / "cases" / case.name)
    yield golden


def bases(folder: Path) -> Iterator[Base]:
    for root in workspaces(folder):
        for file in sorted(root.rglob("*.yaml")):
            text = file.read_text(encoding="utf-8")
            yield Base(root, file, spec_text(file.name, text))


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> list[Outcome]:
    """What is said of each mutation; the same ones each time."""
    chance, found = random.Random(20261126), list(bases(tmp_path_factory.mktemp("mutations")))
    words = {str(entry.route[-1]) for base in found for entry in keys(base.spec)}
    by_kind: dict[str, list[tuple[Base, Mutation]]] = defaultdict(list)
    for base in found:
        known = words | {str(entry.value.value) for entry in base.spec.entries if entry.route[-1] == "id"}
        for mutations in (
            misspelt_keys(chance, base.spec, known),
            broken_references(chance, base.spec, known),
            wrong_types(chance, base.spec),
            moved_items(base.spec),
        ):
            for it in mutations:
                by_kind[it.kind].append((base, it))
    drawn = [
        it for kind, count in WANTED.items() for it in chance.sample(by_kind[kind], min(count, len(by_kind[kind])))
    ]
    return [Outcome(base, it, base.diagnostics(it.text)) for base, it in drawn]


def assert_share(wanted: float, outcomes: list[Outcome], missed: list[Outcome]) -> None:
    reached = 1 - len(missed) / len(outcomes)
    assert reached >= wanted, f"{reached:.1%} of {len(outcomes)}:\n" + "\n".join(map(str, missed))


def test_the_first_diagnostic_names_the_line_of_the_mistake(outcomes: list[Outcome]) -> None:
    assert len(outcomes) >= 500
    assert_share(0.98, outcomes, [it for it in outcomes if not it.names_the_line])


@pytest.mark.parametrize("kind", WANTED)
def test_so_it_is_for_each_kind_of_mistake(outcomes: list[Outcome], kind: str) -> None:
    of_kind = [it for it in outcomes if it.mutation.kind == kind]
    assert len(of_kind) >= 100
    assert_share(0.95, of_kind, [it for it in of_kind if not it.names_the_line])


@pytest.mark.parametrize("kind", ["misspelt key", "broken reference"])
def test_the_hint_names_the_word_that_was_misspelt(outcomes: list[Outcome], kind: str) -> None:
    of_kind = [it for it in outcomes if it.mutation.kind == kind]
    assert_share(0.95, of_kind, [it for it in of_kind if not it.names_the_word])


def test_the_files_themselves_are_right(tmp_path: Path) -> None:
    """Or what is said of a mistake might be said without it."""
    wrong = {str(base.file): base.diagnostics(base.spec.text) for base in bases(tmp_path)}
    assert {file: said for file, said in wrong.items() if said} == {}
