"""A program and all that it starts: what it writes is passed on, and nothing of it is left behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import pytest

from flowmill_tasks._script_process import MARKER, Finished, NotStarted, run_program
from flowmill_tasks._transcript import KEPT_BYTES, LAST_LINES, LINE_BYTES, LOG_LINES, Transcript
from flowmill_tasks.base import GRACE
from flowmill_tasks.cancellation import Cancellation
from support.steps import ListLog
from support.waiting import LEEWAY, eventually

IGNORE_TERM = "trap '' TERM; "
FOR_EVER = "while :; do sleep 0.5; done"


@dataclass
class Case:
    """Runs bash command lines whose processes can be found again by a variable of their environment."""

    folder: Path
    token: str = field(default_factory=lambda: uuid4().hex)
    log: ListLog = field(default_factory=ListLog)
    stop: Cancellation = field(default_factory=Cancellation)
    seconds: float = 0.0

    def run(self, command: str) -> Finished:
        start = time.monotonic()
        try:
            return run_program(["bash", "-c", command], self.folder, self.environ(), "run-1.it", self.log, self.stop)
        finally:
            self.seconds = time.monotonic() - start

    def environ(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "CASE": self.token}

    def stop_when(self, line: str) -> None:
        """Tell the program to stop as soon as it has written `line`."""
        self.log = CallingLog(line, lambda: self.stop.cancel("timed out after 1s"))

    def living(self) -> list[int]:
        return [number for number in _processes() if self.token.encode() in _environ(number)]


class CallingLog(ListLog):
    """A log that does something when a certain line comes."""

    def __init__(self, line: str, call: Callable[[], None]) -> None:
        super().__init__()
        self._line, self._call = line, call

    def info(self, message: str) -> None:
        super().info(message)
        if message == self._line:
            self._call()


def _processes() -> Iterator[int]:
    return (int(place.name) for place in Path("/proc").iterdir() if place.name.isdecimal())


def _environ(number: int) -> bytes:
    try:
        return Path(f"/proc/{number}/environ").read_bytes()  # empty for a zombie
    except OSError:
        return b""


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    case = Case(tmp_path)
    yield case
    for number in case.living():
        os.kill(number, signal.SIGKILL)


def test_a_line_reaches_the_log_while_the_program_runs(case: Case) -> None:
    case.log = CallingLog("ready", (case.folder / "go").touch)
    finished = case.run("echo ready; for _ in {1..500}; do [ -e go ] && exit 0; sleep 0.01; done; exit 1")
    assert finished.exit_code == 0


def test_both_streams_are_shown_and_only_stdout_is_kept(case: Case) -> None:
    finished = case.run("echo out; echo problem >&2; echo; printf 'last\\r\\n'")
    assert finished == Finished(exit_code=0, stdout="out\n\nlast", tail=finished.tail)
    assert sorted(finished.tail.split("\n")) == ["", "last", "out", "problem"]
    assert sorted(case.log.lines) == ["", "last", "out", "problem"]


@pytest.mark.parametrize(
    ("command", "code"),
    [
        pytest.param("exit 0", 0, id="success"),
        pytest.param("exit 3", 3, id="failure"),
        pytest.param("kill -SEGV $$", 139, id="killed-by-a-signal"),
        pytest.param("exec >&- 2>&-; sleep 0.2; exit 4", 4, id="closes-its-output-early"),
    ],
)
def test_the_exit_code_is_the_one_of_a_shell(case: Case, command: str, code: int) -> None:
    assert case.run(command).exit_code == code


def test_an_exit_code_that_the_system_has_lost_is_no_success(case: Case) -> None:
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        assert case.run("exit 3").exit_code is None
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_x29_reading_stdin_gets_the_end_at_once(case: Case) -> None:
    assert case.run("cat; read -r line || echo end").stdout == "end"


def test_the_environment_is_the_given_one_and_the_marker(case: Case) -> None:
    variables = dict(line.split("=", 1) for line in case.run("exec env").stdout.split("\n"))
    marker = variables.pop(MARKER)
    assert variables == case.environ() | {key: variables[key] for key in ("PWD", "SHLVL", "_") if key in variables}
    assert marker.startswith("run-1.it.")


@pytest.mark.parametrize(
    ("command", "least"),
    [
        pytest.param("sleep 60 & echo hi", 1.0, id="holds-stdout"),
        pytest.param(f"({IGNORE_TERM}{FOR_EVER}) & echo hi", 2.0, id="holds-stdout-and-ignores-term"),
        pytest.param("setsid sleep 60 & echo hi", 1.0, id="holds-stdout-in-its-own-session"),
        pytest.param("sleep 60 >/dev/null 2>&1 & echo hi", 1.0, id="writes-nowhere"),
        pytest.param("(sleep 0.4; echo late) & echo hi", 0.4, id="soon-ends-by-itself"),
    ],
)
def test_x23_the_step_ends_soon_after_the_program_and_takes_background_processes_along(
    case: Case, command: str, least: float
) -> None:
    finished = case.run(command)
    assert (finished.exit_code, finished.ended_by) == (0, "")
    assert finished.stdout.startswith("hi")
    assert least <= case.seconds < least + 1.4
    assert case.living() == []


def test_what_comes_late_from_the_background_is_not_lost(case: Case) -> None:
    assert case.run("exec > >(sleep 0.3; cat); echo through a filter").stdout == "through a filter"


@pytest.mark.parametrize(
    ("command", "ended_by"),
    [
        pytest.param("echo ready; sleep 60", "TERM", id="obedient"),
        pytest.param(f"(sleep 60; sleep 60) & echo ready; {FOR_EVER}", "TERM", id="obedient-with-children"),
        pytest.param(f"{IGNORE_TERM}sleep 60 & echo ready; {FOR_EVER}", "KILL", id="all-ignore-term"),
        pytest.param(
            f"({IGNORE_TERM}({FOR_EVER}) & {FOR_EVER}) & sleep 0.3; echo ready; sleep 60",
            "KILL",
            id="leader-obeys-but-grandchild-ignores",
        ),
        pytest.param(
            f"{IGNORE_TERM}(exec >/dev/null 2>&1; {FOR_EVER}) & echo ready; exec >/dev/null 2>&1; {FOR_EVER}",
            "KILL",
            id="nobody-holds-the-output",
        ),
    ],
)
def test_x24_told_to_stop_the_whole_group_goes(case: Case, command: str, ended_by: str) -> None:
    case.stop_when("ready")
    finished = case.run(command)
    assert finished.ended_by == ended_by
    assert case.seconds < (GRACE + 1 if ended_by == "KILL" else GRACE / 2)
    assert case.living() == []


@pytest.mark.parametrize(
    ("command", "ended_by"),
    [
        pytest.param("setsid sleep 60 & echo ready; sleep 60", "TERM", id="setsid"),
        pytest.param(
            f'setsid bash -c "{IGNORE_TERM}echo ready; {FOR_EVER}" & sleep 60',
            "KILL",
            id="setsid-ignores-term",
        ),
        pytest.param(
            "python3 -c 'import os, time\nif os.fork() == 0:\n os.setsid()\n if os.fork() == 0:\n"
            '  print("ready", flush=True); time.sleep(60)\n os._exit(0)\nos.wait()\'; sleep 60',
            "TERM",
            id="double-fork",
        ),
    ],
)
def test_x25_what_left_the_session_is_found_and_ended(case: Case, command: str, ended_by: str) -> None:
    case.stop_when("ready")
    assert case.run(command).ended_by == ended_by
    assert case.seconds < GRACE + LEEWAY
    assert case.living() == []


@pytest.mark.parametrize("ending", ["exit 0", "sleep 60"])
def test_x25_what_cannot_be_found_never_holds_the_step_up(case: Case, ending: str) -> None:
    case.stop_when("sleep 60")
    case.run(f"env -i setsid sleep 60 & echo $! > hidden; echo {ending}; {ending}")
    assert case.seconds < LEEWAY
    os.kill(int((case.folder / "hidden").read_text()), signal.SIGKILL)


def test_a_stopped_program_that_ends_well_has_still_been_stopped(case: Case) -> None:
    case.stop_when("ready")
    finished = case.run("trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.05; done")
    assert (finished.exit_code, finished.stdout, finished.ended_by) == (0, "ready\nbye", "TERM")


def test_a_program_is_not_started_for_long_when_the_run_is_cancelled_already(case: Case) -> None:
    case.stop.cancel("the run was cancelled")
    assert case.run("sleep 60").ended_by == "TERM"
    assert case.seconds < LEEWAY


def test_programs_with_the_same_key_do_not_end_each_other(case: Case) -> None:
    other = Case(case.folder)
    with ThreadPoolExecutor() as pool:
        longer = pool.submit(case.run, "touch running; sleep 1.5; echo unharmed")
        eventually((case.folder / "running").exists)
        assert other.run("sleep 60 & echo hi").stdout == "hi"
        assert longer.result().stdout == "unharmed"


def test_a_log_that_fails_leaves_no_process(case: Case) -> None:
    def fail() -> None:
        raise ConnectionError("the log is gone")

    case.log = CallingLog("ready", fail)
    with pytest.raises(ConnectionError):
        case.run(f"{IGNORE_TERM}sleep 60 & echo ready; {FOR_EVER}")
    eventually(lambda: not case.living())


def test_no_file_descriptor_and_no_zombie_is_left(case: Case) -> None:
    def held() -> tuple[int, str]:
        children = Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text()
        return len(list(Path("/proc/self/fd").iterdir())), children

    case.run("true")
    before = held()
    case.run("sleep 60 & echo hi")
    with pytest.raises(NotStarted):
        run_program(["/no/such/program"], case.folder, case.environ(), "k", case.log, case.stop)
    assert held() == before


def test_a_guard_that_somebody_kills_is_not_missed(case: Case) -> None:
    def children() -> set[int]:
        return set(map(int, Path(f"/proc/self/task/{threading.get_native_id()}/children").read_text().split()))

    others = children()  # such as a server that another test has started

    def kill_guard() -> None:
        (guard,) = children() - others - set(case.living())
        os.kill(guard, signal.SIGKILL)

    case.log = CallingLog("ready", kill_guard)
    assert case.run("echo ready; sleep 0.1; echo done").stdout == "ready\ndone"


RUNNER = """
import os, sys
from pathlib import Path
from flowmill_tasks._script_process import run_program
from flowmill_tasks.cancellation import Cancellation
from support.steps import ListLog
log = ListLog()
run_program(["bash", "-c", sys.argv[1]], Path("."), dict(os.environ), "k", log, Cancellation())
"""


def _runner(case: Case, code: str, command: str) -> "subprocess.Popen[str]":
    environ = {**case.environ(), "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(
        [sys.executable, "-c", code, command], cwd=case.folder, env=environ, stdout=subprocess.PIPE, text=True
    )


def test_x31_when_the_flow_process_is_killed_its_program_goes_too(case: Case) -> None:
    with _runner(case, RUNNER, f"{IGNORE_TERM}sleep 60 & touch ready; {FOR_EVER}") as runner:
        eventually((case.folder / "ready").exists)
        runner.kill()
        eventually(lambda: not case.living())


MEASURED = (
    "import resource; before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
    + RUNNER
    + "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, len(log.lines))\n"
)


@pytest.mark.parametrize(
    ("command", "lines"),
    [
        # One line more each says that stdout is cut.
        pytest.param("head -c 1000000000 /dev/zero | tr '\\0' x", 2, id="one-line"),
        pytest.param("yes | head -c 1000000000", LOG_LINES + LAST_LINES + 3, id="500-million-lines"),
    ],
)
def test_x27_a_gigabyte_of_output_takes_little_memory(case: Case, command: str, lines: int) -> None:
    with _runner(case, MEASURED, command) as runner:
        output, _ = runner.communicate()
    kilobytes, shown = map(int, output.split())
    assert kilobytes < 100_000  # the modules that are imported in between included
    assert shown == lines


def fed(*chunks: bytes) -> tuple[list[str], Transcript]:
    """The lines that a log shows of an output, and its transcript."""
    log = ListLog()
    transcript = Transcript(log)
    for chunk in chunks:
        transcript.stdout.feed(chunk)
    transcript.close()
    return log.lines, transcript


@pytest.mark.parametrize(
    ("chunks", "lines", "kept"),
    [
        pytest.param([], [], "", id="nothing"),
        pytest.param([b"a\nb"], ["a", "b"], "a\nb", id="no-newline-at-the-end"),
        pytest.param([b"a", b"b\nc", b"\n"], ["ab", "c"], "ab\nc", id="lines-over-several-reads"),
        pytest.param([b"a\r\nb\r\n"], ["a", "b"], "a\r\nb", id="windows-line-ends"),
        pytest.param([b"1%\r2%\r3%\n"], ["1%\r2%\r3%"], "1%\r2%\r3%", id="progress-bar"),
        pytest.param(["zwölf".encode()[:3], "zwölf".encode()[3:]], ["zwölf"], "zwölf", id="character-in-two"),
        pytest.param([b"\xff\xfe caf\xe9\n"], ["�� caf�"], "�� caf�", id="x28-not-utf-8"),
        pytest.param([b"a\0b\n"], ["a�b"], "a�b", id="nul"),
    ],
)
def test_bytes_become_lines(chunks: list[bytes], lines: list[str], kept: str) -> None:
    shown, transcript = fed(*chunks)
    assert shown == lines
    assert transcript.stdout.kept() == kept


def test_x27_a_long_line_is_cut_and_says_so() -> None:
    shown, _ = fed(b"x" * LINE_BYTES, b"y" * 10 + b"\nnext\n")
    assert shown == ["x" * LINE_BYTES + " … 10 bytes of this line not shown", "next"]


def test_x27_only_the_end_of_stdout_is_kept_and_the_cut_is_stated() -> None:
    _, transcript = fed(*[b"x" * 99 + b"\n"] * 4000, b"end")
    head, _, rest = transcript.stdout.kept().partition("\n")
    assert head == f"… {4000 * 100 + 3 - KEPT_BYTES} bytes not kept"
    assert len(rest) == KEPT_BYTES
    assert rest.endswith("x\nend")


@pytest.mark.parametrize("size", [10, 1_000, 100_000, 10_000_000])
def test_x27_of_too_many_lines_the_first_and_the_last_are_shown(size: int) -> None:
    output = b"".join(b"%d\n" % number for number in range(LOG_LINES + 500))
    shown, transcript = fed(*(output[start : start + size] for start in range(0, len(output), size)))
    last = [str(number) for number in range(LOG_LINES + 500 - LAST_LINES, LOG_LINES + 500)]
    assert shown[:LOG_LINES] == [str(number) for number in range(LOG_LINES)]
    assert shown[LOG_LINES].startswith(f"… {LOG_LINES} lines shown")
    assert shown[LOG_LINES + 1] == f"… {500 - LAST_LINES} lines not shown"
    assert shown[LOG_LINES + 2 :] == last
    assert transcript.tail() == "\n".join(last)


def test_a_few_lines_too_many_are_all_shown() -> None:
    shown, _ = fed(b"x\n" * (LOG_LINES + 3))
    assert shown.count("x") == LOG_LINES + 3
    assert not any("not shown" in line for line in shown)
