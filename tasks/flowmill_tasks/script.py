"""The step type `script`: a shell command line, a program with its arguments, or a script beside the spec.

It runs on the worker's machine, in a process group of its own, with stdin empty. stdout and stderr go to the
log line by line; the exit code decides, and 0 alone is success. Whatever it leaves running in the background
ends with it.

The environment is `env` and `env_from` on top of the few variables in `INHERITED` and `PYTHONUNBUFFERED=1`;
the worker's own settings (`PREFECT_*`, keys, tokens) are not passed on.
"""

import errno
import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path, PurePath
from signal import Signals
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from flowmill_tasks._paths import PathProblem, RelativePath, resolve_file_inside, resolve_folder_inside
from flowmill_tasks._result_file import VARIABLE, private_file, read_file
from flowmill_tasks._script_process import Finished, NotStarted, run_program
from flowmill_tasks.base import GRACE, Output, ProcessOutput, Step, StepFailed, StepRun
from flowmill_tasks.duration import in_words
from flowmill_tasks.fields import Rendered, Text, Unrendered
from flowmill_tasks.starter import Starter

SHELL = ["bash", "-eo", "pipefail", "-c"]
"""What runs a command line: the first command that fails, in a pipeline too, fails the step."""

_SHELLS = {"sh", "bash", "dash", "ash", "ksh", "zsh", "fish"}
_PROXIES = ("http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy")
INHERITED = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"),
        *_PROXIES,
        *(name.upper() for name in _PROXIES),
    }
)
"""The worker's variables that a script gets, besides `LC_*`: who and where it is, its way to the network."""

_REFUSALS = {
    errno.ENOENT: "`{}` is not on this machine, or not on the worker's PATH",
    errno.EACCES: "`{}` may not be executed: permission denied",
    errno.ENOEXEC: "`{}` has no `#!` line and is no program for this machine",
    errno.E2BIG: "the arguments and the environment are too long for the system",
}
"""Why a program cannot be started now or later; anything else (no memory, no process left) may pass."""
_ENDINGS = {
    "TERM": "ended on TERM",
    "KILL": f"did not end on TERM within {in_words(GRACE)} and were ended with KILL",
}
_MEANINGS = {126: "a command is not executable", 127: "a command was not found"}
_SIGNALS = {signal.value: signal.name for signal in Signals}

_TEXT = {"type": "string", "minLength": 1}
_TEXT_OR_LIST = {"anyOf": [_TEXT, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}


def _as_argv(value: Any) -> Any:
    """A command line becomes the argv of a shell, which is also how a plan shows it.

    What is known before any run (`environment`, `vars`) may stand in it; a value of the run must never become
    shell text.
    """
    if isinstance(value, str):
        _refuse_blank(value)
        # Not even escaped: what looks like an expression in a plan is one.
        if isinstance(value, Unrendered) or "${{" in value:
            raise _shell_expression()
        # What stands behind the command line is $0, then $1, $2 and so on.
        return [*SHELL, value, "bash"]
    argv = _checked_list(value, "expected a command line, or a list of a program and its arguments")
    if isinstance(_shell_text(argv), Unrendered | Rendered):
        raise _shell_expression()
    return argv


def _shell_text(argv: list[Any]) -> Any:
    """What stands behind `-c` where the program is a shell, else None."""
    items = iter([item if isinstance(item, str) else "" for item in argv])
    if PurePath(next(items)).name not in _SHELLS:
        return None
    for item in items:
        if not item.startswith("-"):
            return None
        if item.endswith("o"):  # as in `-eo pipefail`
            next(items, None)
        elif "c" in item and not item.startswith("--"):
            return next(items, None)
    return None


def _shell_expression() -> PydanticCustomError:
    return PydanticCustomError(
        "bad_value",
        "a value of the run would become shell text here; pass it in `args`, where a command line finds it "
        'as `"$1"`, or in `env`, or write `command` as a list of a program and its arguments',
    )


def _as_interpreter(value: Any) -> Any:
    if isinstance(value, str) and " " in value and not isinstance(value, Unrendered):
        raise PydanticCustomError("bad_value", "write options as a list, for example `[python3, -X, dev]`")
    argv = [value] if isinstance(value, str) else value
    argv = _checked_list(argv, "expected a program, or a list of a program and its options")
    if "/" in argv[0] and not argv[0].startswith("/") and not isinstance(argv[0], Unrendered):
        raise PydanticCustomError("bad_value", "expected a program on the PATH, or an absolute path")
    return argv


def _checked_list(value: Any, expected: str) -> list[Any]:
    if not isinstance(value, list) or not value or not isinstance(value[0], str):
        raise PydanticCustomError("bad_value", "{expected}", {"expected": expected})
    _refuse_blank(value[0])
    return value


def _refuse_blank(program: str) -> None:
    if not program.strip():
        raise PydanticCustomError("bad_value", "must name a program, but is empty")


CommandLine = Annotated[list[Text], BeforeValidator(_as_argv), WithJsonSchema(_TEXT_OR_LIST)]
Interpreter = Annotated[list[Text], BeforeValidator(_as_interpreter), WithJsonSchema(_TEXT_OR_LIST)]


STARTER = Starter(
    step="""\
  - id: work
    type: script
    command: echo "hello from $1"   # a line for bash; or a list of a program and its arguments; or `file: work.py`
    args: ["${{ flow.name }}"]      # values go in here, and stay one argument whatever is in them
    timeout: 10m
    retries: 1
    retry_delay: 1m
""",
    expected="""      steps: {work: {command: 'echo "hello from $1"'}}""",
)


class Script(Step):
    """Run a command, or a script beside the spec."""

    step_type = "script"
    summary = "Run a command line, a program, or a script file on the worker's machine"
    starter = STARTER
    takes_environment = True
    output = ProcessOutput
    argument_fields = frozenset({"command", "args", "file", "interpreter"})

    command: CommandLine | None = Field(
        default=None,
        description="A command line for `bash -eo pipefail`, without values of the run; or a program and its "
        "arguments as a list, run without a shell. Either this or `file`.",
        examples=["sort data.csv | head -n 5", ["python3", "-m", "etl", "${{ parameters.day }}"]],
    )
    file: RelativePath | None = Field(
        default=None,
        description="A script: its path from the spec's folder, inside the project. Or else `command`.",
        examples=["scripts/load.py", "clean.sh"],
    )
    interpreter: Interpreter | None = Field(
        default=None,
        description="What runs `file`: a program on the PATH, an absolute path, or a list with its options. "
        "Without it: for `.py` the Python that runs the flow; for `.sh` what its `#!` line names, or bash; "
        "any other file is executed itself.",
        examples=["python3.12", ["uv", "run"]],
    )
    args: list[Text] = Field(
        default=[],
        description="Arguments, each passed as it is, whatever its value holds; to a command line they are "
        '`"$1"`, `"$2"` and so on.',
        examples=[["--since", "${{ run.start | date('%Y-%m-%d') }}"]],
    )
    working_dir: RelativePath = Field(
        default=".",
        description="The folder to run in: its path from the spec's folder, inside the project.",
        examples=["scripts"],
    )

    @model_validator(mode="after")
    def _command_or_file(self) -> Self:
        if (self.command is None) == (self.file is None):
            raise PydanticCustomError("bad_value", "expected one of `command` and `file`")
        if self.interpreter is not None and self.file is None:
            raise PydanticCustomError("bad_value", "`interpreter` is for `file`; a `command` names its program")
        return self

    def problems(self, directory: Path, root: Path) -> list[tuple[tuple[str | int, ...], str]]:
        checks = {"file": self._argv, "working_dir": self._folder}
        known = [key for key in checks if not isinstance(getattr(self, key), Unrendered)]
        found = [(key, _problem(checks[key], directory, root)) for key in known]
        return [((key,), problem) for key, problem in found if problem]

    def preview(self, run: StepRun) -> list[str]:
        try:
            argv = self._argv(run.directory, run.root)
        except PathProblem:  # its path is only known when the run starts, or `problems` has told
            argv = [*(self.interpreter or []), self.file or "", *self.args]
        return [shlex.join(argv)]

    def recorded(self, run: StepRun) -> dict[str, Any]:
        """The argv, with a `file` as the spec names it and Python as `python`: the same on every machine."""
        shown: dict[str, Any] = {"argv": self._portable_argv(run), "working_dir": self.working_dir}
        if self.command and self.command[: len(SHELL)] == SHELL and len(self.command) == len(SHELL) + 2:
            shown["command"] = self.command[len(SHELL)]
        return shown

    def _portable_argv(self, run: StepRun) -> list[str]:
        if self.file is None:
            return [*(self.command or []), *self.args]
        try:
            path = resolve_file_inside(self.file, run.directory, run.root)
            starter = ["python"] if self.interpreter is None and path.suffix == ".py" else self._starter(path)
        except PathProblem:  # it is made by the run itself
            starter = self.interpreter or []
        return [*starter, self.file, *self.args]

    def exit_message(self, code: int | None) -> str:
        what = f"`{self.file}`" if self.file else "the command"
        return f"{what} {_failure(code)}"

    def execute(self, run: StepRun) -> Output:
        try:
            argv = self._argv(run.directory, run.root)
            folder = self._folder(run.directory, run.root)
        except PathProblem as problem:
            raise StepFailed(str(problem), permanent=True) from problem
        with private_file() as result:
            environ = {**_environment(run), VARIABLE: str(result)}
            try:
                finished = run_program(argv, folder, environ, run.key, run.log, run.cancellation)
            except NotStarted as refused:
                raise _not_started(refused.cause, argv[0], folder) from refused
            self._check_end(finished, run)
            return ProcessOutput(stdout=finished.stdout, exit_code=0, result=read_file(result))

    def _folder(self, directory: Path, root: Path) -> Path:
        return resolve_folder_inside(self.working_dir, directory, root)

    def _argv(self, directory: Path, root: Path) -> list[str]:
        if self.file is None:
            return [*(self.command or []), *self.args]
        path = resolve_file_inside(self.file, directory, root)
        return [*self._starter(path), str(path), *self.args]

    def _starter(self, path: Path) -> list[str]:
        if self.interpreter is not None:
            return self.interpreter
        if path.suffix == ".py":
            return [sys.executable]
        head = _head(path)
        _check_line_ends(path, head)
        if path.suffix == ".sh":
            return _shebang(head) or ["bash"]
        _check_executable(path, head)
        return []

    def _check_end(self, finished: Finished, run: StepRun) -> None:
        if finished.ended_by:
            message = f"{run.cancellation.reason}; its processes {_ENDINGS[finished.ended_by]}"
        elif finished.exit_code != 0:
            message = self.exit_message(finished.exit_code)
        else:
            return
        raise StepFailed(message, exit_code=finished.exit_code, tail=finished.tail)


def _problem(check: Callable[[Path, Path], object], directory: Path, root: Path) -> str:
    try:
        check(directory, root)
    except PathProblem as problem:
        return str(problem)
    return ""


def _environment(run: StepRun) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name in INHERITED or name.startswith("LC_")}
    # Python holds back what it prints to a pipe; nobody could follow the run.
    return {**inherited, "PYTHONUNBUFFERED": "1", **run.environ}


def _head(path: Path) -> bytes:
    """The start of a file, as much of it as a kernel looks at."""
    try:
        with path.open("rb") as file:
            return file.read(256)
    except OSError as error:
        raise PathProblem(f"`{path.name}` cannot be read: {error.strerror}") from error


def _shebang(head: bytes) -> list[str]:
    """The interpreter that a `#!` line names, and its options as one argument: how Linux reads it."""
    if not head.startswith(b"#!"):
        return []
    return os.fsdecode(head.partition(b"\n")[0].removeprefix(b"#!")).strip().split(maxsplit=1)


def _check_line_ends(path: Path, head: bytes) -> None:
    is_script = path.suffix == ".sh" or head.startswith(b"#!")
    if is_script and head.partition(b"\n")[0].endswith(b"\r"):
        raise PathProblem(f"`{path.name}` has Windows line ends (CRLF), which no shell reads; save it with LF")


def _check_executable(path: Path, head: bytes) -> None:
    if not os.access(path, os.X_OK):
        raise PathProblem(f"`{path.name}` is not executable; run `chmod +x` on it, or set `interpreter`")
    if not _shebang(head) and b"\0" not in head:  # NUL is in every binary program
        raise PathProblem(f"`{path.name}` does not say what runs it; start it with a `#!` line, or set `interpreter`")


def _not_started(error: OSError | ValueError, program: str, folder: Path) -> StepFailed:
    if not isinstance(error, OSError):
        what = "an argument or variable holds a NUL character, or the name of a variable is not one"
        return StepFailed(what, permanent=True)
    if error.errno == errno.ENOENT and "/" in program and (folder / program).exists():
        what = f"`{program}` names an interpreter in its `#!` line that is not on this machine"
        return StepFailed(what, permanent=True)
    what = _REFUSALS.get(error.errno or 0, f"`{{}}` cannot be started: {error.strerror}").format(program)
    return StepFailed(what, permanent=error.errno in _REFUSALS)


def _failure(code: int | None) -> str:
    if code is None:
        return "has ended, but the system has lost its exit code; the worker may be ignoring SIGCHLD"
    if name := _SIGNALS.get(code - 128):
        memory = "; the machine may be out of memory" if name == "SIGKILL" else ""
        return f"failed with exit code {code} ({name}{memory})"
    return f"failed with exit code {code}" + (f" ({_MEANINGS[code]})" if code in _MEANINGS else "")
