"""The folder of a site: the same bytes each time, all of it or nothing, and nothing of others is lost."""

import re
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from flowmill.site.folder import MARKER, NotOurs, write_folder
from support.flows import JOB, script, write_workspace
from support.sites import FROM, made, shipped_site
from validating.command import flowmill


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_specs_and_date_give_the_same_bytes_wherever_they_lie(shipped: Path, tmp_path: Path) -> None:
    elsewhere = shipped_site(tmp_path / "another" / "place")
    assert content(elsewhere) == content(shipped)
    inside = tmp_path / "another" / "place" / "specs" / "parks"
    assert flowmill("site", "--out", tmp_path / "third", *FROM, cwd=inside).code == 0
    assert content(tmp_path / "third") == content(shipped)


def test_no_page_names_a_folder_of_this_machine(shipped: Path) -> None:
    assert not [name for name, text in content(shipped).items() if str(shipped.parent).encode() in text]


def test_another_date_gives_other_times(shipped: Path, tmp_path: Path) -> None:
    page = "flows/parks.trees.html"
    assert "Tue 1 Dec 2026" in (shipped / page).read_text()
    write_workspace(tmp_path, {"demo/a.yaml": {**JOB, "cron": "30 4 * * *", "steps": [script("a")]}})
    site = made(tmp_path, "--from", "2027-03-14T04:30")
    times = (site / "flows/demo.a.html").read_text()
    assert "Mon 15 Mar 2027" in times
    assert "Sun 14 Mar 2027, 04:30" not in times.split("<footer>")[0]


def test_without_a_date_times_count_from_now(tmp_path: Path) -> None:
    write_workspace(tmp_path, {"demo/a.yaml": {**JOB, "cron": "* * * * *", "steps": [script("a")]}})
    before = datetime.now(UTC).replace(second=0, microsecond=0)
    assert flowmill("site", cwd=tmp_path).code == 0
    text = (tmp_path / "site/index.html").read_text().split("Times count from")[1]
    assert before <= datetime.fromisoformat(text.split('"')[1]) <= datetime.now(UTC)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return write_workspace(tmp_path, {"demo/a.yaml": {**JOB, "steps": [script("a")]}})


def test_a_page_of_a_flow_that_is_gone_is_gone(small: Path) -> None:
    site = made(small)
    (small / "demo/a.yaml").rename(small / "demo/b.yaml")
    made(small)
    assert [path.name for path in (site / "flows").iterdir()] == ["demo.b.html"]
    assert [path.name for path in small.iterdir() if "out" in path.name] == ["out"], "nothing is left beside it"


def test_others_may_read_it_where_they_may_read_new_files(small: Path) -> None:
    site = made(small)
    (small / "beside").mkdir()
    assert stat.S_IMODE(site.stat().st_mode) == stat.S_IMODE((small / "beside").stat().st_mode)


PAGES = {"index.html": b"1", "flows/a.html": b"2"}
REFUSED = [
    pytest.param("notes.txt", id="a file"),
    pytest.param(".flowmill-site", id="a marker that is not ours"),
    pytest.param("sub/.hidden", id="a hidden file below"),
]


@pytest.mark.parametrize("is_ours", [False, True], ids=["of others", "of our pages"])
@pytest.mark.parametrize("name", REFUSED)
def test_a_folder_that_holds_anything_else_is_left_alone(tmp_path: Path, name: str, is_ours: bool) -> None:
    out = tmp_path / "out"
    if is_ours:
        write_folder(out, PAGES)
    (out / name).parent.mkdir(parents=True, exist_ok=True)
    (out / name).write_text("mine")
    before = content(tmp_path)
    with pytest.raises(NotOurs, match=re.escape("holds files that flowmill has not written, such as `")) as raised:
        write_folder(out, {"other.html": b""})
    assert f"`{name}`" in str(raised.value)
    assert content(tmp_path) == before


def test_an_empty_folder_is_taken_and_a_file_is_not(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    write_folder(tmp_path / "out", PAGES)
    assert content(tmp_path / "out").keys() == {*PAGES, MARKER}
    (tmp_path / "file").write_text("mine")
    with pytest.raises(NotOurs, match="file` is no folder"):
        write_folder(tmp_path / "file", PAGES)
    assert (tmp_path / "file").read_text() == "mine"


def test_what_a_link_leads_to_is_replaced_and_the_link_stays(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "out").symlink_to("real")
    write_folder(tmp_path / "out", PAGES)
    assert (tmp_path / "out").is_symlink()
    assert content(tmp_path / "real").keys() == {*PAGES, MARKER}


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    write_folder(tmp_path / "out", PAGES)
    before = content(tmp_path)
    with pytest.raises(OSError, match="File name too long"):
        write_folder(tmp_path / "out", {"a.html": b"", "b" * 300: b""})
    assert content(tmp_path) == before


def test_a_refusal_says_what_to_do(small: Path) -> None:
    done = flowmill("site", "--out", ".", *FROM, cwd=small)
    message = "`.` holds files that flowmill has not written, such as `demo/a.yaml`; name another folder with `--out`"
    assert (done.code, message in done.error) == (1, True), done.error


def test_specs_with_errors_change_nothing(small: Path) -> None:
    site = made(small)
    before = content(site)
    (small / "demo/a.yaml").write_text("project: demo\nserver: nowhere\n")
    done = flowmill("site", "--out", "out", *FROM, cwd=small)
    assert (done.code, "[unknown-server]" in done.error, done.text) == (1, True, "")
    assert content(site) == before


def test_a_wrong_date_says_how_to_write_one(small: Path) -> None:
    done = flowmill("site", "--from", "tomorrow", cwd=small)
    assert (done.code, "write it as `2026-01-31`" in done.error) == (2, True)
    assert not (small / "site").exists()
