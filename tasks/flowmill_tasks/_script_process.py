"""Running a program in a process group of its own: start it, pass on what it writes, end all of it.

Whatever the program starts ends with it. What leaves the group (`setsid`) is found on Linux by a variable in
its environment, which children inherit; one that also empties its environment stays, but holds nothing up.
Elsewhere only the group itself is ended.
"""

import os
import secrets
import selectors
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL, SIGTERM, Signals
from typing import IO

from flowmill_tasks._transcript import Transcript
from flowmill_tasks.base import GRACE, Log
from flowmill_tasks.cancellation import Cancellation

MARKER = "FLOWMILL_STEP"
"""The variable that marks a process as started by a step; its value is unique to the attempt."""

LEFTOVER_SECONDS = 1.0
"""How long processes may outlive the program by themselves, and then again after TERM."""
_KILL_SECONDS = 0.8
"""How long dying may take after KILL before a process counts as one that cannot be ended."""
_POLL_SECONDS = 0.1
_CHUNK = 65536


@dataclass(frozen=True)
class Finished:
    """How a program ended.

    Attributes:
        exit_code: as a shell gives it, 128 + n for signal n; None when the system has lost it.
        stdout: its end, without the final line breaks; a cut is stated at the head.
        tail: the last lines of stdout and stderr, as they came.
        ended_by: `TERM` or `KILL`, whichever it took, when it was told to stop.
    """

    exit_code: int | None
    stdout: str
    tail: str
    ended_by: str = ""


class NotStarted(Exception):
    """The system refused to start the program."""

    def __init__(self, cause: OSError | ValueError) -> None:
        super().__init__(str(cause))
        self.cause = cause


def run_program(
    argv: Sequence[str], directory: Path, environ: Mapping[str, str], key: str, log: Log, stop: Cancellation
) -> Finished:
    """Run a program to its end, or until `stop` is set; when this returns, all that it started is gone.

    Args:
        environ: the whole environment; only `MARKER` is added.
        key: becomes part of the marker, for people who look at a process.

    Raises:
        NotStarted: the system refused to start it.
    """
    transcript = Transcript(log)
    marked = {**environ, MARKER: f"{key}.{secrets.token_hex(8)}"}
    with _started(argv, directory, marked) as group, selectors.DefaultSelector() as selector:
        selector.register(group.stdout, selectors.EVENT_READ, transcript.stdout)
        selector.register(group.stderr, selectors.EVENT_READ, transcript.stderr)
        ended_by = _follow(group, _Pump(selector), log, stop)
        exit_code = group.reap()
    transcript.close()
    return Finished(exit_code, transcript.stdout.kept(), transcript.tail(), ended_by)


def _follow(group: "_Group", pump: "_Pump", log: Log, stop: Cancellation) -> str:
    pump.until(lambda: group.leader_ended() or stop.is_set())
    if not group.leader_ended():
        return _end(group, pump, log, GRACE)
    if not pump.until(lambda: pump.silent() and not group.members(), LEFTOVER_SECONDS):
        log.warning(f"what the program left running is ended with it: {len(group.members())} processes")
        _end(group, pump, log, LEFTOVER_SECONDS)
    return ""


def _end(group: "_Group", pump: "_Pump", log: Log, grace: float) -> str:
    """End every process of the group and say which signal it took."""
    group.send(SIGTERM)
    ended_by = "TERM" if pump.until(lambda: not group.members(), grace) else "KILL"
    # Sent again and again: a process may fork between being listed and being killed.
    if ended_by == "KILL" and not pump.until(lambda: group.send(SIGKILL) == 0, _KILL_SECONDS):
        log.error(f"processes that cannot be ended are left behind: {group.members()}")
    pump.until(pump.silent, _POLL_SECONDS)
    return ended_by


class _Group:
    """A started program and all that it starts. The leader is reaped last: as long as it is a zombie, its
    process id, which is also the group's, cannot become somebody else's."""

    def __init__(self, argv: Sequence[str], directory: Path, environ: Mapping[str, str]) -> None:
        self._marker = os.fsencode(f"{MARKER}={environ[MARKER]}\0")
        self._process = subprocess.Popen(
            argv,
            cwd=directory,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )
        self._code_is_lost = False
        assert self._process.stdout
        assert self._process.stderr
        self.pid = self._process.pid
        self.stdout: IO[bytes] = self._process.stdout
        self.stderr: IO[bytes] = self._process.stderr

    def leader_ended(self) -> bool:
        if not hasattr(os, "waitid"):  # macOS before Python 3.13
            return self._process.poll() is not None
        try:
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:  # SIGCHLD is ignored here, or someone else has waited for every child
            self._code_is_lost = True
            return True

    def members(self) -> list[int]:
        """The living processes of the group, and those that have left it."""
        if not Path("/proc/self/environ").exists():
            return [] if self.leader_ended() else [self.pid]
        places = (place for place in Path("/proc").iterdir() if place.name.isdecimal())
        return [int(place.name) for place in places if _belongs(place, self.pid, self._marker)]

    def send(self, signal: Signals) -> int:
        """Send a signal once to each process; how many there were."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal)
        members = self.members()
        for member in members:
            with suppress(ProcessLookupError, PermissionError):
                if os.getpgid(member) != self.pid:
                    os.kill(member, signal)
        return len(members)

    def reap(self) -> int | None:
        """Collect the leader's exit code; None where the system has lost it, which is not a success."""
        self.leader_ended()
        code = self._process.wait()
        if self._code_is_lost:
            return None
        return 128 - code if code < 0 else code

    def abandon(self) -> None:
        """Leave nothing behind, whatever has happened: no process, no zombie, no open pipe."""
        if self._process.returncode is None:
            self.send(SIGKILL)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_KILL_SECONDS)
        self.stdout.close()
        self.stderr.close()


def _belongs(place: Path, session: int, marker: bytes) -> bool:
    try:
        # The name in parentheses may hold anything; state, parent, group and session stand behind it.
        state, _, _, its_session = (place / "stat").read_bytes().rpartition(b")")[2].split()[:4]
        living = state not in (b"Z", b"X")
        return living and (int(its_session) == session or marker in (place / "environ").read_bytes())
    except OSError:  # it has ended meanwhile, or is somebody else's
        return False


@contextmanager
def _started(argv: Sequence[str], directory: Path, environ: Mapping[str, str]) -> Iterator[_Group]:
    try:
        group = _Group(argv, directory, environ)
    except (OSError, ValueError) as error:
        raise NotStarted(error) from error
    try:
        with guarded(group.pid):
            yield group
    finally:
        group.abandon()


_GUARD = 'read -r end && exit; kill -s TERM -- "-$1"; sleep "$2"; kill -s KILL -- "-$1"'


@contextmanager
def guarded(group: int) -> Iterator[None]:
    """Have a shell end the process group if this process dies without a chance to do so (SIGKILL).

    The shell notices that its pipe closes. The kernel's own means (PR_SET_PDEATHSIG) reaches only the leader,
    and needs code between fork and exec, which is not safe in a process with threads.
    """
    shell = subprocess.Popen(
        ["/bin/sh", "-c", _GUARD, "sh", str(group), f"{GRACE:g}"],
        cwd="/",
        env={"PATH": os.defpath},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        shell.communicate(b"end\n")


class _Pump:
    """Reads the pipes of a selector without ever waiting on one of them."""

    def __init__(self, selector: selectors.BaseSelector) -> None:
        self._selector = selector

    def silent(self) -> bool:
        """Whether nobody can write any more."""
        return not self._selector.get_map()

    def until(self, condition: Callable[[], bool], seconds: float = float("inf")) -> bool:
        """Pass on what is written until `condition` holds; false when `seconds` have passed before."""
        deadline = time.monotonic() + seconds
        pause = _POLL_SECONDS / 100
        while not condition():
            if time.monotonic() >= deadline:
                return False
            # When both pipes have closed the end is near: look often at first.
            pause = min(pause * 2, _POLL_SECONDS) if self.silent() else _POLL_SECONDS
            for key, _ in self._selector.select(pause):
                self._read(key)
        return True

    def _read(self, key: selectors.SelectorKey) -> None:
        chunk = os.read(key.fd, _CHUNK)
        if chunk:
            key.data.feed(chunk)
        else:
            self._selector.unregister(key.fileobj)
