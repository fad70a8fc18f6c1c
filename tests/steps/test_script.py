"""The step type `script`, with real processes: what it runs, what it passes on, and how it fails."""

import asyncio
import json
import os
import shlex
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from flowmill_tasks.base import GRACE, StepFailed, StepTimedOut
from flowmill_tasks.fields import Rendered, Unrendered
from flowmill_tasks.perform import perform
from flowmill_tasks.script import Script
from support.steps import ListLog, run_step, step_run
from support.waiting import LEEWAY, PATIENCE

SHOW_ARGS = "import json, sys\nprint(json.dumps(sys.argv[1:]))\n"
PRINT_ARGS = [sys.executable, "-c", SHOW_ARGS]
FOR_EVER = "while :; do sleep 0.5; done"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project folder with a folder for specs, beside one whose name starts like the project's."""
    for folder in ("project/specs/scripts", "project/specs/evil", "project-evil"):
        (tmp_path / folder).mkdir(parents=True)
    return tmp_path / "project"


def write(path: Path, text: str, mode: int = 0o644) -> Path:
    path.write_bytes(text.encode())
    path.chmod(mode)
    return path


def script(**keys: Any) -> Script:
    """A step from keys as a spec has them, where a command line is text."""
    return Script(**keys)


def stdout(directory: Path, **keys: Any) -> str:
    return run_step(script(**keys), step_run(directory)).stdout


def failure(directory: Path, root: Path | None = None, **keys: Any) -> StepFailed:
    with pytest.raises(StepFailed) as failed:
        run_step(script(**keys), step_run(directory, root=root or directory))
    return failed.value


def refusal(**keys: Any) -> str:
    with pytest.raises(ValidationError) as refused:
        Script(**keys)
    return str(refused.value.errors()[0]["msg"])


def is_living(number: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{number}/status").read_text()
    except OSError:
        return False


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        pytest.param({}, "expected one of `command` and `file`", id="neither"),
        pytest.param({"command": "true", "file": "a.sh"}, "expected one of", id="both"),
        pytest.param({"command": "a", "interpreter": "sh"}, "`interpreter` is for `file`", id="command-by"),
        pytest.param({"command": " "}, "is empty", id="blank-line"),
        pytest.param({"command": []}, "expected a command line, or a list", id="empty-list"),
        pytest.param({"command": [""]}, "is empty", id="empty-program"),
        pytest.param({"command": {"run": "x"}}, "expected a command line, or a list", id="mapping"),
        pytest.param({"command": ["a", ["b"]]}, "valid string", id="list-in-a-list"),
        pytest.param({"command": "a\0b"}, "NUL", id="i07-nul-in-a-line"),
        pytest.param({"command": ["a", "b\0"]}, "NUL", id="i07-nul-in-a-list"),
        pytest.param({"command": "a", "args": ["\0"]}, "NUL", id="i07-nul-in-args"),
        pytest.param({"file": "a.py", "interpreter": "python -X dev"}, "options as a list", id="options"),
        pytest.param({"file": "a", "interpreter": "venv/python"}, "absolute path", id="relative-program"),
        pytest.param({"file": "a.py", "interpreter": []}, "expected a program", id="no-interpreter"),
        pytest.param({"file": "/etc/x.sh"}, "is absolute", id="i08-absolute-file"),
        pytest.param({"file": "file:///etc/x.sh"}, "is a URL", id="i08-url"),
        pytest.param({"command": "true", "working_dir": "/tmp"}, "is absolute", id="i08-absolute-folder"),
        pytest.param({"command": "true", "shell": "sh"}, "not permitted", id="unknown-key"),
    ],
)
def test_wrong_keys_are_refused(keys: dict[str, Any], message: str) -> None:
    assert message in refusal(**keys)


VALUE = Unrendered("${{ parameters.name }}")


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(Unrendered(f"echo '{VALUE}'"), id="line"),
        pytest.param(f"echo '$${VALUE}'", id="escaped"),
        pytest.param(["bash", "-c", VALUE], id="bash-list"),
        pytest.param(["/bin/sh", "-eo", "pipefail", "-xc", VALUE, "sh"], id="sh-with-options"),
        pytest.param(["bash", "-eo", "pipefail", "-c", Rendered("; touch PWN"), "bash"], id="rendered"),
    ],
)
def test_i06_a_value_of_the_run_in_shell_text_is_refused_and_the_other_ways_are_named(command: Any) -> None:
    message = refusal(command=command)
    assert all(way in message for way in ("`args`", "`env`", "as a list"))


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(Rendered("echo staging | cat"), id="known-before-the-run"),
        pytest.param(["bash", "-c", 'echo "$1"', "bash", VALUE], id="behind-the-shell-text"),
        pytest.param(["bash", "-x", "run.sh", "-c", VALUE], id="option-of-another-program"),
        pytest.param(["curl", "-c", VALUE], id="no-shell"),
        pytest.param(["bash", "-eo"], id="options-alone"),
    ],
)
def test_what_is_no_value_of_the_run_in_shell_text_is_accepted(command: Any) -> None:
    assert script(**script(command=command).model_dump(exclude_unset=True)) == script(command=command)


def test_an_expression_may_stand_wherever_it_stays_one_argument() -> None:
    script(command=["echo", VALUE], args=[VALUE], working_dir=VALUE)
    step = script(file=VALUE, interpreter=[VALUE])
    assert step.problems(Path("/nowhere"), Path("/nowhere")) == [
        (("working_dir",), "`.` is not there; it would be `.` in the project")
    ]


@pytest.mark.parametrize(
    ("command", "code"),
    [
        pytest.param("false | cat", 1, id="failure-in-a-pipeline"),
        pytest.param("(exit 4)\necho not reached", 4, id="failure-in-the-middle"),
        pytest.param("cat < absent; true", 1, id="failed-redirection"),
        pytest.param("no-such-program", 127, id="no-such-program"),
    ],
)
def test_a_command_line_ends_with_its_first_failure(tmp_path: Path, command: str, code: int) -> None:
    assert failure(tmp_path, command=command).exit_code == code


HOSTILE = ["x'; touch PWN; '", '"; touch PWN; "', "$(touch PWN)", "`touch PWN`", "; touch PWN", "| touch PWN"]
ODD = ["-rf", "--", "--help", "a\nb", "", " ", "*", "$HOME", "~", "a\\", "ä€😀", "\t", "%s", "!!", "{a,b}"]
VALUES = [Rendered(value) for value in (*HOSTILE, *ODD)]


@pytest.mark.parametrize(
    "keys",
    [
        pytest.param({"command": PRINT_ARGS, "args": VALUES}, id="args-of-a-program"),
        pytest.param({"command": [*PRINT_ARGS, *VALUES]}, id="list"),
        pytest.param({"file": "show.py", "args": VALUES}, id="file"),
        pytest.param({"file": "show.sh", "args": VALUES}, id="shell-file"),
        pytest.param({"command": f'{shlex.join(PRINT_ARGS)} "$@"', "args": VALUES}, id="command-line"),
    ],
)
def test_i06_i07_an_argument_is_passed_as_it_is(tmp_path: Path, keys: dict[str, Any]) -> None:
    write(tmp_path / "show.py", SHOW_ARGS)
    write(tmp_path / "show.sh", f'{shlex.join(PRINT_ARGS)} "$@"\n')
    assert json.loads(stdout(tmp_path, **keys)) == VALUES
    assert not (tmp_path / "PWN").exists()


@pytest.mark.parametrize(
    ("name", "text", "mode", "output"),
    [
        pytest.param("a.py", "import sys; print(sys.executable)", 0o644, sys.executable, id="python"),
        pytest.param("a.py", "#!/bin/false\nimport beside; print(beside.A)", 0o644, "1", id="import-beside"),
        pytest.param("a.py", "print('crlf')\r\n", 0o644, "crlf", id="python-with-crlf"),
        pytest.param("a.sh", 'echo "${BASH_VERSION:+bash}"', 0o644, "bash", id="shell-without-shebang"),
        pytest.param("a.sh", "#!/bin/sh -f\necho *", 0o644, "*", id="shell-with-options-in-its-shebang"),
        pytest.param("a", "#!/bin/sh\necho $0", 0o755, "{}/a", id="executable"),
        pytest.param("a b.pl", "#!/usr/bin/env -S sh -c 'echo own'\n", 0o755, "own", id="env-with-options"),
    ],
)
def test_a_file_is_run_by_what_fits_it(tmp_path: Path, name: str, text: str, mode: int, output: str) -> None:
    write(tmp_path / "beside.py", "A = 1\n")
    write(tmp_path / name, text, mode)
    assert script(file=name).problems(tmp_path, tmp_path) == []
    assert stdout(tmp_path, file=name) == output.format(tmp_path.resolve())


@pytest.mark.parametrize("interpreter", ["cat", "/bin/cat", ["cat", "-u", "--"]])
def test_the_interpreter_may_be_chosen(tmp_path: Path, interpreter: Any) -> None:
    write(tmp_path / "a.py", "the text of the file")
    assert stdout(tmp_path, file="a.py", interpreter=interpreter) == "the text of the file"


def test_a_file_is_found_from_any_working_directory(root: Path, monkeypatch: Any) -> None:
    specs = root / "specs"
    write(specs / "scripts" / "where.py", "import os; print(os.getcwd())")
    monkeypatch.chdir("/")
    assert stdout(specs, file="scripts/where.py") == str(specs.resolve())
    monkeypatch.chdir(root)
    relative = step_run(Path("specs"), root=Path())
    assert run_step(script(file="scripts/where.py", working_dir=".."), relative).stdout == str(root.resolve())


@pytest.mark.parametrize(
    ("name", "text", "mode", "message"),
    [
        pytest.param("a.sh", "#!/bin/bash\r\necho hi\r\n", 0o755, "Windows line ends", id="crlf-shebang"),
        pytest.param("a", "#!/bin/sh\r\necho hi\r\n", 0o755, "Windows line ends", id="crlf-executable"),
        pytest.param("a.sh", "echo hi\r\n", 0o644, "Windows line ends", id="crlf-shell"),
        pytest.param("a", "echo hi\n", 0o755, "does not say what runs it", id="no-shebang"),
        pytest.param("a", "#!\necho hi\n", 0o755, "does not say what runs it", id="empty-shebang"),
        pytest.param("a", "", 0o755, "does not say what runs it", id="empty"),
        pytest.param("a", "#!/bin/sh\n", 0o644, "is not executable", id="not-executable"),
    ],
)
def test_x28_a_file_that_cannot_run_is_found_before_and_during_the_run(
    tmp_path: Path, name: str, text: str, mode: int, message: str
) -> None:
    write(tmp_path / name, text, mode)
    ((route, problem),) = script(file=name).problems(tmp_path, tmp_path)
    assert route == ("file",)
    assert message in problem
    failed = failure(tmp_path, file=name)
    assert (failed.message, failed.permanent) == (problem, True)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        pytest.param({"file": "a"}, "names an interpreter in its `#!` line that is not on", id="shebang"),
        pytest.param({"command": ["./a"]}, "names an interpreter in its `#!` line", id="in-a-list"),
        pytest.param({"file": "a.sh"}, "`/no/such/sh` is not on this machine", id="shebang-of-a-shell-file"),
        pytest.param({"file": "a", "interpreter": "absent"}, "`absent` is not on this", id="interpreter"),
        pytest.param({"command": ["no-such"]}, "`no-such` is not on this machine", id="program"),
        pytest.param({"command": ["./text"]}, "no `#!` line and is no program", id="not-a-program"),
        pytest.param({"command": ["."]}, "`.` may not be executed", id="folder"),
        pytest.param({"command": "true", "args": ["x" * 3_000_000]}, "are too long", id="arguments-too-long"),
    ],
)
def test_x28_what_cannot_be_started_is_named(tmp_path: Path, keys: dict[str, Any], message: str) -> None:
    write(tmp_path / "a", "#!/no/such/sh\n", 0o755)
    write(tmp_path / "a.sh", "#!/no/such/sh\n")
    write(tmp_path / "text", "echo hi\n", 0o755)
    failed = failure(tmp_path, **keys)
    assert message in failed.message
    assert failed.permanent


@pytest.mark.parametrize("name", ["A=B", "A\0"])
def test_a_variable_that_cannot_exist_is_a_failure_and_no_crash(tmp_path: Path, name: str) -> None:
    with pytest.raises(StepFailed, match="the name of a variable is not one"):
        run_step(script(command="true"), step_run(tmp_path, environ={name: "x"}))


@pytest.mark.parametrize("file", ["../../project-evil/x.sh", "link.sh", "evil/x.sh"])
def test_i08_a_file_outside_the_project_is_refused_before_and_in_the_run(root: Path, file: str) -> None:
    specs = root / "specs"
    write(root.parent / "project-evil" / "x.sh", "touch PWN\n")
    for beside in ("link.sh", "evil/x.sh"):
        write(specs / beside, "true\n")
    step = script(file=file)
    assert (step.problems(specs, root) == []) == (".." not in file)
    for swapped, target in {"link.sh": "project-evil/x.sh", "evil": "project-evil"}.items():
        (specs / swapped).rename(specs / f"{swapped}-before")
        (specs / swapped).symlink_to(root.parent / target)
    assert "leads out of the project" in step.problems(specs, root)[0][1]
    with pytest.raises(StepFailed, match="leads out of the project"):
        run_step(step, step_run(specs, root=root))
    assert not (specs / "PWN").exists()


def test_the_working_directory_is_checked_like_a_file(root: Path) -> None:
    specs = root / "specs"
    write(specs / "file", "")
    for folder, message in {"absent": "is not there", "file": "not a folder", "../..": "leads out"}.items():
        ((route, problem),) = script(command="true", working_dir=folder).problems(specs, root)
        assert route == ("working_dir",)
        assert message in problem
        assert failure(specs, root, command="true", working_dir=folder).message == problem


def test_the_environment_is_what_is_declared_and_little_else(tmp_path: Path, monkeypatch: Any) -> None:
    for name in ("PREFECT_API_KEY", "AWS_SECRET_ACCESS_KEY", "PYTHONPATH", "BASH_ENV"):
        monkeypatch.setenv(name, "canary")
    passed = {"LC_TIME", "HTTPS_PROXY", "no_proxy", "SSL_CERT_FILE"}
    for name in passed:
        monkeypatch.setenv(name, "passed")
    given = {"PLAIN": "1", "ODD": "a b\n'\"$HOME", "EMPTY": ""}
    show = script(command=[sys.executable, "-c", "import json, os; print(json.dumps(dict(os.environ)))"])
    environ = json.loads(run_step(show, step_run(tmp_path, environ=given)).stdout)
    assert {name: environ[name] for name in given} == given
    assert "canary" not in environ.values()
    assert {name for name, value in environ.items() if value == "passed"} == passed
    assert (environ["PATH"], environ["PYTHONUNBUFFERED"]) == (os.environ["PATH"], "1")


def test_a_line_of_python_reaches_the_log_before_the_program_ends(tmp_path: Path) -> None:
    class GoLog(ListLog):
        def info(self, message: str) -> None:
            super().info(message)
            (tmp_path / "go").touch()

    waiting = "import os, time\nprint('ready')\nwhile not os.path.exists('go'): time.sleep(0.01)\n"
    write(tmp_path / "a.py", waiting)
    log = GoLog()
    run_step(script(file="a.py"), step_run(tmp_path, log=log), timeout=60)
    assert log.lines == ["ready"]


def test_a_failure_has_the_exit_code_and_the_last_lines(tmp_path: Path) -> None:
    failed = failure(tmp_path, command="seq 1 100; echo 'no such table' >&2; exit 3")
    assert (failed.message, failed.exit_code) == ("the command failed with exit code 3", 3)
    assert not failed.permanent
    assert failed.tail.split("\n")[-2:] == ["100", "no such table"]


@pytest.mark.parametrize(
    ("ending", "message"),
    [
        pytest.param("exit 126", "exit code 126 (a command is not executable)", id="126"),
        pytest.param("exit 127", "exit code 127 (a command was not found)", id="127"),
        pytest.param("kill -SEGV $$", "exit code 139 (SIGSEGV)", id="signal"),
        pytest.param("kill -KILL $$", "exit code 137 (SIGKILL; the machine may be out of memory)", id="kill"),
        pytest.param("exit 255", "exit code 255", id="255"),
    ],
)
def test_a_failure_says_what_its_exit_code_means(tmp_path: Path, ending: str, message: str) -> None:
    write(tmp_path / "a.sh", ending)
    assert failure(tmp_path, file="a.sh").message == f"`a.sh` failed with {message}"


@pytest.mark.parametrize(
    ("command", "most", "message"),
    [
        pytest.param(f"echo $$; {FOR_EVER}", 1 + LEEWAY, "ended on TERM", id="x26-obedient"),
        pytest.param(
            f"trap '' TERM; echo $$; ({FOR_EVER}) & echo $!; setsid sleep 60 & echo $!; {FOR_EVER}",
            1 + GRACE + LEEWAY,
            "did not end on TERM within 3s and were ended with KILL",
            id="x24-x25-ignores-term",
        ),
    ],
)
def test_a_timeout_ends_every_process_and_says_how(tmp_path: Path, command: str, most: float, message: str) -> None:
    log = ListLog()
    start = time.monotonic()
    with pytest.raises(StepTimedOut, match="timed out after 1s") as failed:
        run_step(script(command=command), step_run(tmp_path, log=log), timeout=1)
    assert time.monotonic() - start < most
    numbers = failed.value.tail.split()
    assert numbers
    assert not any(is_living(int(number)) for number in numbers if number.isdecimal())
    assert failed.value.message == f"timed out after 1s; its processes {message}"


def test_the_failure_of_a_stopped_step_says_which_signal_it_took(tmp_path: Path) -> None:
    run = step_run(tmp_path)
    threading.Timer(0.3, run.cancellation.cancel, ["the run was cancelled"]).start()
    with pytest.raises(StepFailed, match="the run was cancelled; its processes ended on TERM") as failed:
        script(command="echo started; sleep 60").execute(run)
    assert (failed.value.exit_code, failed.value.tail) == (143, "started")


def test_x46_cancelling_the_run_leaves_no_process(tmp_path: Path) -> None:
    command = f"trap '' TERM; setsid sleep 60 & echo $! > a; ({FOR_EVER}) & echo $! > b; {FOR_EVER}"
    marks = [tmp_path / "a", tmp_path / "b"]

    async def cancel_when_started() -> float:
        task = asyncio.create_task(perform(script(command=command), step_run(tmp_path)))
        async with asyncio.timeout(PATIENCE):
            while not all(mark.exists() and mark.read_text() for mark in marks):
                await asyncio.sleep(0.02)
        start = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return time.monotonic() - start

    assert asyncio.run(cancel_when_started()) < GRACE + LEEWAY
    assert not any(is_living(int(mark.read_text())) for mark in marks)


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        pytest.param({"command": ["a", "b c", "$(d)"]}, "a 'b c' '$(d)'", id="list"),
        pytest.param({"command": "a|b", "args": ["c d"]}, "bash -eo pipefail -c 'a|b' bash 'c d'", id="line"),
        pytest.param({"file": "x.sh", "args": ["-n"]}, "bash {}/x.sh -n", id="file"),
        pytest.param({"file": Unrendered("${{ p }}"), "interpreter": "sh"}, "sh '${{{{ p }}}}'", id="later"),
    ],
)
def test_a_preview_is_the_argv_and_starts_nothing(tmp_path: Path, keys: dict[str, Any], line: str) -> None:
    write(tmp_path / "x.sh", "touch PWN\n")
    assert script(**keys).preview(step_run(tmp_path)) == [line.format(tmp_path.resolve())]
    assert not (tmp_path / "PWN").exists()
