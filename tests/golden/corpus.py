"""The golden corpus: each case is a spec, or a whole workspace, beside what flowmill makes of it.

`ok/NAME.yaml` stands beside `NAME.plan.json`, `err/NAME.yaml` beside `NAME.out`; a case about tests of flows has
them in `NAME.test.yaml`. A case of several files is a
folder with `specs/` and `expected.plan.json` or `expected.out`; what git cannot hold (links, pipes) is made by
the commands of its `setup.sh`, run in `specs/`.
"""

import shutil
import subprocess
from contextlib import chdir
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from flowmill.pipeline import Compiled
from flowmill.proving import prove
from flowmill.testing.suite import run_tests
from flowmill.workspace import TESTS_ENDING

FOLDER = Path(__file__).parent
WORKSPACE = FOLDER / "workspace"
PROJECT = "demo"
TODAY = date(2026, 11, 26)
"""The day on which all cases are looked at, for rules about what is to come."""


@dataclass(frozen=True)
class Case:
    """One case: what it is called, what goes in, where the expectation lies."""

    name: str
    source: Path
    expected: Path

    def lay_out(self, folder: Path) -> Path:
        """Put the case's workspace into `folder`, as `specs/`, and return its path; cases of one file share it."""
        specs = folder / "specs"
        if self.source.is_file():
            shutil.copytree(WORKSPACE, specs, dirs_exist_ok=True)
            for file in self.files:
                shutil.copy(file, specs / PROJECT / file.name)
            return specs
        made = self.source / "specs"
        shutil.copytree(made if made.is_dir() else WORKSPACE, specs)
        setup = self.source / "setup.sh"
        if setup.exists():
            subprocess.run(["bash", "-eu", setup], cwd=specs, check=True)
        return specs

    @property
    def files(self) -> list[Path]:
        """The spec of a case of one file, and its tests, if it has some."""
        tests = self.source.with_suffix(TESTS_ENDING)
        return [self.source, *([tests] if tests.is_file() else [])]

    def compile(self, folder: Path) -> Compiled:
        """What flowmill makes of the case when it is called in `folder`."""
        specs = self.lay_out(folder).relative_to(folder)
        with chdir(folder):
            if self.name.startswith("test-failed"):
                return run_tests(specs).compiled
            return prove(specs, self._flow(specs), today=TODAY)

    def _flow(self, specs: Path) -> frozenset[Path] | None:
        """The one flow that the case is about; a case of several files is about all of them together."""
        return frozenset({(specs / PROJECT / self.source.name).absolute()}) if self.source.is_file() else None

    def texts(self) -> dict[str, str]:
        """The files that belong to the case, by their path in it, in alphabetical order."""
        if self.source.is_file():
            return {f"specs/{PROJECT}/{file.name}": _text(file) for file in self.files}
        files = sorted(path for path in self.source.rglob("*") if path.is_file() and path != self.expected)
        return {path.relative_to(self.source).as_posix(): _text(path) for path in files}


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace")


def ok_cases() -> list[Case]:
    """The cases that are right, with their plans."""
    return _cases(FOLDER / "ok", ".plan.json")


def err_cases() -> list[Case]:
    """The cases that are wrong, with what `flowmill validate` prints; of `test-failed`, what `flowmill test` finds."""
    return _cases(FOLDER / "err", ".out")


def _cases(folder: Path, ending: str) -> list[Case]:
    specs = [path for path in folder.glob("*.yaml") if not path.name.endswith(TESTS_ENDING)]
    files = [Case(path.stem, path, path.with_suffix(ending)) for path in specs]
    folders = [Case(path.name, path, path / f"expected{ending}") for path in folder.iterdir() if path.is_dir()]
    return sorted([*files, *folders], key=lambda case: case.name)
