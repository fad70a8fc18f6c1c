"""Fixing touches nothing of a file but what is wrong: not its line ends, its mark, its tabs, or its mode."""

import subprocess
from pathlib import Path

import pytest

from fixing.workspace import PLACE, fixed, lay_out
from flowmill.fixing.writing import NotWritten, write
from support.unmeasured import unmeasured
from support.waiting import PATIENCE
from validating.command import FLOWMILL, flowmill

WRONG = """# what it does
project: demo
environment: staging   # for now
steps:
  - id: load           # the only one
    type: script
    command: echo 'a\tb'\t# after a tab
    retrys: "3"
    timeout: 5 min
"""
RIGHT = WRONG.replace('retrys: "3"', "retries: 3").replace("5 min", "5m")
MARK = b"\xef\xbb\xbf"


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        pytest.param(WRONG.encode(), RIGHT.encode(), id="plain"),
        pytest.param(WRONG.replace("\n", "\r\n").encode(), RIGHT.replace("\n", "\r\n").encode(), id="CRLF"),
        pytest.param(MARK + WRONG.encode(), MARK + RIGHT.encode(), id="byte-order-mark"),
        pytest.param(
            MARK + WRONG.replace("\n", "\r\n").encode(), MARK + RIGHT.replace("\n", "\r\n").encode(), id="both"
        ),
        pytest.param(WRONG.rstrip().encode(), RIGHT.rstrip().encode(), id="no-last-line-break"),
        pytest.param(
            WRONG.replace("a\tb", "é 🚀\tb").encode(), RIGHT.replace("a\tb", "é 🚀\tb").encode(), id="beyond-ASCII"
        ),
        pytest.param(
            WRONG.replace("3", "3").replace("\n", "\r\n", 3).encode(),
            RIGHT.replace("\n", "\r\n", 3).encode(),
            id="mixed-line-ends",
        ),
    ],
)
def test_all_other_bytes_stay(tmp_path: Path, wrong: bytes, right: bytes) -> None:
    path = lay_out(tmp_path, wrong)
    path.chmod(0o640)
    ran = flowmill("validate", "--fix", cwd=tmp_path)
    assert (ran.code, path.read_bytes()) == (0, right)
    assert path.stat().st_mode & 0o777 == 0o640
    assert sorted(it.name for it in path.parent.iterdir() if it.name.startswith(".")) == []


def test_fix_tells_what_it_has_done_and_what_is_left(tmp_path: Path) -> None:
    lay_out(tmp_path, WRONG + "    colour: green\n")
    ran = flowmill("validate", "--fix", cwd=tmp_path)
    assert ran.code == 1
    assert ran.text.startswith(
        f"{PLACE}/job.yaml: fixed 3 problems\n"
        "  8:5: unknown key `retrys`, now `retries` [unknown-key]\n"
        "  8:14: expected a whole number, got text, now `3` [wrong-type]\n"
        "  9:14: expected a duration such as `30s`, `5m` or `1h30m`, got `5 min`, now `5m` [duration]\n"
    )
    assert "unknown key `colour`" in ran.text
    assert "1 error in 1 file" in ran.text


def test_a_format_for_programs_has_the_output_to_itself(tmp_path: Path) -> None:
    lay_out(tmp_path, WRONG)
    ran = flowmill("validate", "--fix", "--format", "json", cwd=tmp_path)
    assert ran.code == 0
    assert ran.text.startswith("{")
    assert "fixed 3 problems" in ran.error


def test_diff_writes_nothing_and_can_be_applied(tmp_path: Path) -> None:
    wrong = WRONG.replace("\n", "\r\n").rstrip().encode()
    path = lay_out(tmp_path, wrong)
    ran = flowmill("validate", "--diff", cwd=tmp_path)
    assert (ran.code, path.read_bytes()) == (1, wrong)
    subprocess.run(["git", "apply", "-"], input=ran.out, cwd=tmp_path, check=True)
    assert path.read_bytes() == RIGHT.replace("\n", "\r\n").rstrip().encode()
    assert flowmill("validate", "--diff", cwd=tmp_path).code == 0


def test_diff_is_coloured_where_colours_are_wanted(tmp_path: Path) -> None:
    lay_out(tmp_path, WRONG)
    text = flowmill("validate", "--diff", "--color", cwd=tmp_path).text
    assert '\x1b[31m-    retrys: "3"\x1b[0m\n' in text
    assert "\x1b[32m+    retries: 3\x1b[0m\n" in text


def test_no_output_shows_a_value_that_may_be_secret(tmp_path: Path) -> None:
    spec = """project: demo
environment: staging
steps:
  - id: load
    type: script
    command: echo done
    env:
      PASSWORD: hunter2
      API_TOKEN: >-
        hunter2
    timeout: 5 min
  - {id: publish, type: script, command: echo done, retrys: 3, env: {PASSWORD: hunter2}}
"""
    path = lay_out(tmp_path, spec)
    shown = flowmill("validate", "--diff", cwd=tmp_path)
    written = flowmill("validate", "--fix", cwd=tmp_path)
    assert b"hunter2" not in shown.out + shown.err + written.out + written.err
    assert "\n       PASSWORD: ***\n       API_TOKEN: ***\n         ***\n-    timeout" in shown.text
    assert shown.text.endswith("+    timeout: 5m\n+  ***\n")
    assert path.read_text() == spec.replace("retrys", "retries").replace("5 min", "5m")


def test_a_link_is_not_fixed(tmp_path: Path) -> None:
    path = lay_out(tmp_path, WRONG)
    real = path.rename(path.with_suffix(".txt"))
    path.symlink_to(real.name)
    ran = flowmill("validate", "--fix", cwd=tmp_path)
    assert ran.code == 1
    assert (path.is_symlink(), real.read_text()) == (True, WRONG)
    assert ran.error == f"`{PLACE}/job.yaml` is a link, and is not fixed\n"


def test_only_what_was_named_is_fixed(tmp_path: Path) -> None:
    one, other = lay_out(tmp_path, WRONG, "one"), lay_out(tmp_path, WRONG, "other")
    assert flowmill("validate", "--fix", PLACE / "one.yaml", cwd=tmp_path).code == 0
    assert (one.read_text(), other.read_text()) == (RIGHT, WRONG)


def test_shared_files_and_tests_are_fixed_with_the_whole_workspace(tmp_path: Path) -> None:
    lay_out(tmp_path, RIGHT)
    files = {
        "flowmill.yaml": ("servers:", "servres:"),
        "demo/project.yaml": ("description:", "descripton:"),
        "demo/job.test.yaml": ("expect:", "expct:"),
    }
    (tmp_path / "specs/demo/job.test.yaml").write_text("tests:\n  - name: it loads\n    expect: {state: success}\n")
    before = {name: (tmp_path / "specs" / name).read_text() for name in files}
    for name, (right, wrong) in files.items():
        assert right in before[name]
        (tmp_path / "specs" / name).write_text(before[name].replace(right, wrong, 1))
    flowmill("validate", "--fix", cwd=tmp_path)
    assert {name: (tmp_path / "specs" / name).read_text() for name in files} == before


def test_a_file_that_cannot_be_written_stays_as_it_is(tmp_path: Path) -> None:
    path = lay_out(tmp_path, WRONG)
    # No file may grow beyond nothing: this holds for root as well.
    command = ["bash", "-c", f"ulimit -f 0; exec {FLOWMILL} validate --fix"]
    ran = subprocess.run(command, cwd=tmp_path, env=unmeasured(), capture_output=True, text=True, timeout=PATIENCE)
    assert (ran.returncode, path.read_text()) == (1, WRONG)
    assert ran.stderr == f"`{PLACE}/job.yaml` cannot be written: file too large\n"
    assert "unknown key `retrys`" in ran.stdout
    assert sorted(it.name for it in path.parent.iterdir() if it.name.startswith(".")) == []


def test_a_file_that_has_changed_meanwhile_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = fixed(tmp_path, WRONG)
    path = tmp_path / PLACE / "job.yaml"
    path.write_text(WRONG + "# more\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotWritten, match="has changed meanwhile"):
        write(outcome.files[0], Path("specs"))
    assert path.read_text() == WRONG + "# more\n"


def test_what_an_alias_repeats_is_fixed_where_it_is_written(tmp_path: Path) -> None:
    spec = """project: demo
environment: staging
steps:
  - {id: load, type: script, command: echo done, retries: 1, retry_delay: &pause 5 min}
  - id: publish
    type: script
    command: echo done
    env: &mode {MODE: full}
    retries: 1
    retry_delay: *pause
  - {id: tell, type: script, command: echo done, evn_from: [warehouse], env: *mode}
"""
    outcome = fixed(tmp_path, spec)
    assert outcome.files[0].text == spec.replace("5 min", "5m").replace("evn_from", "env_from")
    assert outcome.compiled.errors == 0


def test_an_edit_in_a_shared_file_is_made_there(tmp_path: Path) -> None:
    """A default that is spelt wrong is told where it stands, and fixed once for all flows."""
    lay_out(tmp_path, RIGHT)
    project = tmp_path / "specs/demo/project.yaml"
    before = project.read_text()
    project.write_text(before + "  all: {retrys: 2, retry_delay: 2 min}\n")
    flowmill("validate", "--fix", cwd=tmp_path)
    assert project.read_text() == before + "  all: {retries: 2, retry_delay: 2m}\n"
