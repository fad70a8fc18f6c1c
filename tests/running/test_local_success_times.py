"""What a workspace keeps on somebody's own machine: where, by whom at once, and what a damaged file says."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flowmill.local.success_times import LocalTimes
from flowmill.running.success_times import TimesError
from support.flows import script, write_job, write_workspace
from support.race import race

NAME = "demo.job.staging"
NOON = datetime(2026, 11, 23, 12, 0, 0, 123456, UTC)
RACE = """
import sys
from datetime import datetime, timedelta
from pathlib import Path
from flowmill.local.success_times import LocalTimes

store, first = LocalTimes(Path(sys.argv[1])), datetime.fromisoformat(sys.argv[2])
sys.stdin.readline()
for step in range(0, 400, 2):
    mine = first + timedelta(minutes=step)
    store.advance("demo.job.staging", mine)
    assert store.read("demo.job.staging") >= mine, "the other has gone back behind what this one had kept"
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    return write_job(tmp_path, script("load"))


def test_it_is_a_small_file_beside_the_workspace(spec: Path) -> None:
    store = LocalTimes(spec)
    assert store.read(NAME) is None
    assert not (spec.parents[1] / ".flowmill").exists(), "reading writes nothing"
    store.advance(NAME, NOON)
    folder = spec.parents[1] / ".flowmill"
    assert json.loads((folder / "state/demo.job.staging.json").read_text()) == {"start": NOON.isoformat()}
    assert (folder / ".gitignore").read_text() == "*\n"
    assert store.read(NAME) == NOON


def test_of_a_folder_called_specs_it_lies_beside_that(tmp_path: Path) -> None:
    spec = write_workspace(tmp_path / "specs", {"demo/job.yaml": "{}"}) / "demo/job.yaml"
    LocalTimes(spec).set(NAME, NOON)
    assert (tmp_path / ".flowmill/state/demo.job.staging.json").is_file()


def test_a_folder_that_is_made_later_nearer_to_the_spec_hides_nothing(spec: Path) -> None:
    LocalTimes(spec).set(NAME, NOON)
    (spec.parent / ".flowmill/state").mkdir(parents=True)
    assert LocalTimes(spec).read(NAME) == NOON


def test_it_never_goes_back_unless_it_is_set(spec: Path) -> None:
    store = LocalTimes(spec)
    store.advance(NAME, NOON)
    store.advance(NAME, NOON - timedelta(microseconds=1))
    assert store.read(NAME) == NOON
    store.set(NAME, NOON - timedelta(days=1))
    assert store.read(NAME) == NOON - timedelta(days=1)
    store.reset(NAME)
    store.reset(NAME)
    assert store.read(NAME) is None


def test_two_processes_race_and_the_latest_stays(spec: Path) -> None:
    race(RACE, *((str(spec), (NOON + timedelta(minutes=number)).isoformat()) for number in (0, 1)))
    assert LocalTimes(spec).read(NAME) == NOON + timedelta(minutes=399)
    left = {path.name for path in (spec.parents[1] / ".flowmill/state").iterdir()}
    assert left == {".lock", "demo.job.staging.json"}


DAMAGED = {
    "empty": b"",
    "cut": b'{"start": "2026-11',
    "no-json": b"yesterday",
    "no-text": b"\xff\xfe",
    "another-key": b'{"begin": "2026-11-23T12:00:00+00:00"}',
    "a-number": b'{"start": 1}',
    "a-list": b"[]",
    "no-offset": b'{"start": "2026-11-23T12:00:00"}',
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=list(DAMAGED))
def test_a_damaged_file_is_named_and_stands_for_nothing(spec: Path, content: bytes) -> None:
    store = LocalTimes(spec)
    store.set(NAME, NOON)
    path = spec.parents[1] / ".flowmill/state/demo.job.staging.json"
    path.write_bytes(content)
    for attempt in (lambda: store.read(NAME), lambda: store.advance(NAME, NOON)):
        with pytest.raises(TimesError, match=rf"{path.name} cannot be used .*`flowmill state reset`"):
            attempt()
    assert path.read_bytes() == content
    store.set(NAME, NOON)
    assert store.read(NAME) == NOON


def test_a_folder_that_cannot_be_written_is_named(spec: Path) -> None:
    (spec.parents[1] / ".flowmill").write_text("not a folder")
    with pytest.raises(TimesError, match=r"demo\.job\.staging\.json cannot be written \(.+\)"):
        LocalTimes(spec).advance(NAME, NOON)
