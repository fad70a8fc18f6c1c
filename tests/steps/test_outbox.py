"""The outbox: names that sort, files that are whole, failures that are readable."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from flowmill_tasks._outbox import write_to_outbox
from flowmill_tasks.base import StepFailed

NAME = re.compile(r"\d{8}T\d{6}\.\d{9}Z-notify-[a-z0-9_]{8}\.eml")


def test_a_message_is_written_whole_under_a_readable_name(tmp_path: Path):
    path = write_to_outbox(tmp_path / "run" / "outbox", "notify", ".eml", b"Subject: hi\r\n")
    assert path.read_bytes() == b"Subject: hi\r\n"
    assert path.parent == tmp_path / "run" / "outbox"
    assert NAME.fullmatch(path.name)


def test_names_sort_in_the_order_of_writing(tmp_path: Path):
    written = [write_to_outbox(tmp_path, step, ".eml", b"") for step in ("z", "b", "a", "a")]
    assert sorted(written) == written


def test_writers_at_the_same_time_never_share_a_name_and_leave_nothing_unfinished(tmp_path: Path):
    with ThreadPoolExecutor(16) as pool:
        paths = list(pool.map(lambda n: write_to_outbox(tmp_path, "notify", ".json", b"%d" % n), range(400)))
    assert sorted(int(path.read_bytes()) for path in paths) == list(range(400))
    assert sorted(tmp_path.iterdir()) == sorted(paths)


@pytest.mark.parametrize(
    ("step_id", "part"),
    [
        pytest.param("../../etc/passwd", "-etc-passwd-", id="path"),
        pytest.param("each[3]", "-each-3-", id="item of a loop"),
        pytest.param("a\nb", "-a-b-", id="line break"),
        pytest.param("..", "-step-", id="only dots"),
        pytest.param("ü" * 300, "-step-", id="not ascii"),
        pytest.param("x" * 300, "-" + "x" * 80 + "-", id="long"),
    ],
)
def test_a_step_id_cannot_lead_out_of_the_folder(tmp_path: Path, step_id: str, part: str):
    path = write_to_outbox(tmp_path, step_id, ".eml", b"")
    assert path.parent == tmp_path
    assert part in path.name


def test_a_folder_that_cannot_be_made_fails_the_step_naming_it(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(StepFailed, match=r"cannot write to the outbox `.*file/outbox`: Not a directory"):
        write_to_outbox(tmp_path / "file" / "outbox", "notify", ".eml", b"")


def test_x43_a_full_disk_fails_the_step_and_leaves_nothing_behind(tmp_path: Path):
    """A file size limit stands for the full disk: both cut a write short."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(StepFailed, match=r"cannot write to the outbox .*: File too large"):
            write_to_outbox(tmp_path, "notify", ".eml", b"x" * 2000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []
