"""The wheel holds what it needs and nothing else, and works from where it is unpacked."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", str(folder), str(ROOT)], check=True)
    return next(folder.glob("*.whl"))


def test_it_holds_both_packages_typed_and_nothing_beside_them(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert tops == {"flowmill", "flowmill_tasks"}
    sources = {
        str(path.relative_to(base))
        for base in (ROOT / "compiler", ROOT / "tasks")
        for path in base.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert sources <= set(names)


def test_unpacked_it_validates_with_neither_the_source_tree_nor_its_install(wheel: Path, tmp_path: Path) -> None:
    target, specs = tmp_path / "unpacked", tmp_path / "specs"
    zipfile.ZipFile(wheel).extractall(target)
    (specs / "p").mkdir(parents=True)
    (specs / "flowmill.yaml").write_text("environments: {e: {ref: main}}\nservers: {s: {}}\n")
    (specs / "p" / "project.yaml").write_text("description: x\n")
    (specs / "p" / "f.yaml").write_text(
        "project: p\nenvironment: e\nserver: s\nsteps: [{id: a, type: script, command: [true]}]\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(target)}
    found = subprocess.run(
        [sys.executable, "-m", "flowmill", "validate"], cwd=specs, env=environment, capture_output=True, text=True
    )
    assert (found.stdout, found.returncode) == ("1 flow valid in 1 environment\n", 0), found.stderr
