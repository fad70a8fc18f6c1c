"""A step type of somebody else's distribution: one file and an entry point, and everything knows it."""

import json
import os
from pathlib import Path

import pytest

from support.flows import flowmill, run_id, write_distribution, write_job
from support.prefect_server import PrefectServer

CODE = '''\
from typing import ClassVar

from pydantic import Field

from flowmill_tasks.base import Output, Step, StepRun
from flowmill_tasks.fields import Templated, Text, WholeNumber


class Counted(Output):
    total: int = 0


class Count(Step):
    """Count something."""

    step_type: ClassVar[str] = "count"
    summary: ClassVar[str] = "Count how often a word stands in a text"
    output: ClassVar[type[Output]] = Counted

    word: Text = Field(description="What is looked for.", examples=["heron"])
    text: Text = Field(description="Where it is looked for.", examples=["heron, wren"])
    least: Templated[WholeNumber] = Field(default=0, description="What is expected.", examples=[1])

    def execute(self, run: StepRun) -> Counted:
        total = self.text.count(self.word)
        run.log.info(f"{self.word}: {total}, expected {self.least}")
        return Counted(total=total)
'''


@pytest.fixture
def installed(tmp_path: Path) -> dict[str, str]:
    """The environment of a command that finds the distribution."""
    folder = write_distribution(tmp_path / "site", "counting_steps", CODE)
    return {"PYTHONPATH": os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])}


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    steps = [
        {"id": "count", "type": "count", "word": "heron", "text": "heron, wren, heron", "least": 2},
        {"id": "show", "type": "script", "command": ["echo", "found ${{ steps.count.total }}"]},
    ]
    return write_job(tmp_path / "specs", *steps)


def test_it_validates(spec: Path, installed: dict[str, str]) -> None:
    validated = flowmill("validate", spec, cwd=spec.parent, **installed)
    assert validated.returncode == 0, validated.stdout


def test_its_keys_are_checked_like_everybody_elses(spec: Path, installed: dict[str, str]) -> None:
    spec.write_text(spec.read_text().replace('"word"', '"wrod"').replace(".total", ".totl"))
    validated = flowmill("validate", spec, cwd=spec.parent, **installed)
    assert validated.returncode == 1
    for problem in ("unknown key `wrod`", "did you mean `word`?", "did you mean `total`?"):
        assert problem in validated.stdout


def test_without_it_the_type_is_unknown(spec: Path) -> None:
    validated = flowmill("validate", spec, cwd=spec.parent)
    assert validated.returncode == 1
    assert "there is no step type `count` [unknown-type]" in validated.stdout


def test_it_is_in_the_schema(tmp_path: Path, installed: dict[str, str]) -> None:
    written = flowmill("schema", "--dir", tmp_path / "schema", cwd=tmp_path, **installed)
    assert written.returncode == 0, written.stderr
    texts = [path.read_text() for path in (tmp_path / "schema").iterdir()]
    assert all(json.loads(text) for text in texts)
    assert any("Count how often a word stands in a text" in text and '"least"' in text for text in texts)


@pytest.mark.prefect
def test_it_runs(prefect_server: PrefectServer, spec: Path, installed: dict[str, str]) -> None:
    finished = flowmill("run", spec, cwd=spec.parent, **installed)
    assert finished.returncode == 0, finished.stdout
    assert run_id(finished.stdout)
    assert "| heron: 2, expected 2\n" in finished.stdout
    assert "| found 2\n" in finished.stdout
