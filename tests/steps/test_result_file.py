"""The file that FLOWMILL_RESULT names: what a program writes there later steps get, of scripts and of containers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import support.engine
from flowmill_tasks._result_file import RESULT_AT_MOST
from flowmill_tasks.base import ProcessOutput, StepFailed
from flowmill_tasks.docker import Docker
from flowmill_tasks.script import Script
from support.engine import IMAGE, Engine
from support.steps import ListLog, run_step, step_run

engine = support.engine.engine

Run = Callable[..., Any]


@pytest.fixture(params=["script", pytest.param("docker", marks=pytest.mark.docker)])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Run:
    """Runs a command line as a script, and in a container."""
    if request.param == "script":
        return lambda line: run_step(Script.model_validate({"command": line}), step_run(tmp_path))
    made: Engine = request.getfixturevalue("engine")

    def contained(line: str, **keys: Any) -> Any:
        step = Docker.model_validate({"image": IMAGE, "pull": "never", "command": ["sh", "-c", line], **keys})
        return run_step(step, step_run(tmp_path, key=made.key))

    return contained


@pytest.mark.parametrize(
    ("line", "result"),
    [
        pytest.param("true", "", id="nothing"),
        pytest.param("""echo '{"rows": 12}' > "$FLOWMILL_RESULT" """, '{"rows": 12}', id="JSON"),
        pytest.param("""printf 'a\\nb\\n\\n' >> "$FLOWMILL_RESULT" """, "a\nb", id="lines"),
        pytest.param("""printf 'a\\377\\000b' > "$FLOWMILL_RESULT" """, "a\ufffd\ufffdb", id="no UTF-8"),
        pytest.param("""rm "$FLOWMILL_RESULT" """, "", id="removed"),
        pytest.param("""cat "$FLOWMILL_RESULT"; [ ! -s "$FLOWMILL_RESULT" ]""", "", id="empty at first"),
    ],
)
def test_what_is_written_there_is_the_result(run: Run, line: str, result: str) -> None:
    assert run(line) == ProcessOutput(stdout="", exit_code=0, result=result)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("""rm "$FLOWMILL_RESULT"; ln -s /etc/passwd "$FLOWMILL_RESULT" """, id="link"),
        pytest.param("""rm "$FLOWMILL_RESULT"; mkfifo "$FLOWMILL_RESULT" """, id="pipe"),
        pytest.param("""rm "$FLOWMILL_RESULT"; mkdir "$FLOWMILL_RESULT" """, id="folder"),
    ],
)
def test_what_takes_its_place_is_not_read(run: Run, line: str) -> None:
    with pytest.raises(StepFailed, match="no ordinary file any more"):
        run(line)


def test_a_result_that_is_too_long_fails_the_step_and_says_how_long_it_may_be(run: Run) -> None:
    fill = 'head -c {} /dev/zero | tr "\\0" x > "$FLOWMILL_RESULT"'
    assert len(run(fill.format(RESULT_AT_MOST)).result) == RESULT_AT_MOST
    with pytest.raises(StepFailed, match="longer than 256 KiB"):
        run(fill.format(RESULT_AT_MOST + 1))


def test_a_program_that_fails_has_no_result(run: Run) -> None:
    with pytest.raises(StepFailed, match="exit code 3"):
        run('echo half > "$FLOWMILL_RESULT"; exit 3')


def test_the_file_is_private_and_gone_afterwards(tmp_path: Path) -> None:
    path = run_step(Script.model_validate({"command": 'stat -c "%a %n" "$FLOWMILL_RESULT"'}), step_run(tmp_path)).stdout
    mode, _, name = path.partition(" ")
    assert mode == "600"
    assert not Path(name).parent.exists()


@pytest.mark.docker
def test_a_container_may_write_it_as_whoever_it_runs(engine: Engine, tmp_path: Path) -> None:
    command = ["sh", "-c", 'id -u > "$FLOWMILL_RESULT"']
    step = Docker.model_validate({"image": IMAGE, "pull": "never", "user": "1234:1234", "command": command})
    assert run_step(step, step_run(tmp_path, key=engine.key)).result == "1234"


def test_stdout_that_is_longer_than_what_is_kept_is_told_in_the_log(tmp_path: Path) -> None:
    log = ListLog()
    line = "for i in $(seq 40); do head -c 8000 /dev/zero | tr '\\0' x; echo; done"
    run_step(Script.model_validate({"command": line}), step_run(tmp_path, log=log))
    assert [text for text in log.lines if "longer than 256 KiB" in text] == [
        "… stdout is longer than 256 KiB: later steps get the end of it"
    ]
