"""The step type `docker`: run a command in a container, on the Docker engine of the worker's machine.

A container may do less than under `docker run`: it has no capability of root (so `chown`, `su` and writing
to other users' files fail, also for root inside), gains no privileges through setuid programs, and has a
limit of memory and of processes. It keeps the user that its image names. No shell stands between the spec
and the program: `$HOME`, `*` and `;` mean nothing unless the command is `[sh, -c, "..."]`.
"""

import posixpath
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from flowmill_tasks._docker_container import ContainerPlan, Mount, ended_with, engine, run_container
from flowmill_tasks._docker_image import ImageReference, Login, PullPolicy, Source, provide_image
from flowmill_tasks._docker_orphans import remove_orphans
from flowmill_tasks._docker_result import NAME as RESULT_FILE
from flowmill_tasks._paths import PathProblem, check_path_text, resolve_inside
from flowmill_tasks.base import Log, Output, ProcessOutput, Step, StepFailed, StepRun
from flowmill_tasks.fields import Duration, Line, Number, Size, Templated, Text, Unrendered, WholeNumber
from flowmill_tasks.starter import Starter

_RIGHTS = "privileged cap_add security_opt runtime group_add sysctls oom_kill_disable cgroup_parent"
_DEVICES = "device devices device_requests device_cgroup_rules gpus"
_NAMESPACES = "pid pid_mode ipc ipc_mode uts uts_mode userns userns_mode cgroupns network_mode net"
_MOUNTS = "volumes_from mount mounts"
_REFUSED_OPTIONS: Mapping[str, str] = {
    **dict.fromkeys(_RIGHTS.split(), "gives a container more rights than a step may have"),
    **dict.fromkeys(_DEVICES.split(), "opens devices of the machine to a container"),
    **dict.fromkeys(_NAMESPACES.split(), "lets a container into a namespace that is not its own"),
    **dict.fromkeys(_MOUNTS.split(), "mounts what `volumes` would refuse"),
}
"""Options of the engine that a spec may not use with any value, and what each of them does."""

_STRING = r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\""
_EXPRESSION = re.compile(rf"\$\$\{{\{{|\$\{{\{{(?:{_STRING}|(?!\}}\}}).)*(?:\}}\}}|\Z)", re.DOTALL)
"""An expression, whose strings may hold `}}`; or the opening of one that is meant literally."""
_MARK = re.compile("\0([0-9]+)\0")

_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]*"
_NETWORK = "the name of a network of the engine, or `none`; the machine's own (`host`) is not allowed"

DEFAULT_MEMORY = 2 * 1024**3
LEAST_MEMORY = 6 * 1024**2
"""The engine refuses less."""


def split_command(value: Any) -> Any:
    """A command written as one text, as the list of its arguments: split as by a shell, without running one.

    An expression is never split and stays in the argument that it stands in; its value is put in later, and
    so cannot become a second argument. What is a list already is left alone.
    """
    if not isinstance(value, str):
        return value
    if "\0" in value:
        raise PydanticCustomError("bad_value", "a NUL character is not allowed here")
    expressions: list[str] = []

    def mark(match: re.Match[str]) -> str:
        if match[0] == "$${{":
            return match[0]
        expressions.append(match[0])
        return f"\0{len(expressions) - 1}\0"

    marked = _EXPRESSION.sub(mark, value)
    items = [_MARK.sub(lambda found: expressions[int(found[1])], item) for item in _shell_words(marked)]
    return [Unrendered(item) if isinstance(value, Unrendered) and "${{" in item else item for item in items]


def _shell_words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        reason = {"reason": str(error).lower()}
        raise PydanticCustomError("bad_value", "cannot be split into arguments: {reason}", reason) from error


def _not_empty(arguments: list[str]) -> list[str]:
    if not arguments:
        raise PydanticCustomError("bad_value", "must not be empty; without the key the image's own is run")
    return arguments


def _parse_volume(text: str) -> Mount:
    """Read `source:target`, with `:ro` or `:rw`; a source is a path if it holds a `/` or begins with `.`."""
    source, target, mode, *more = [*text.split(":"), "", ""]
    if any(more) or mode not in ("", "ro", "rw") or not source:
        raise PathProblem(f"expected `source:target` or `source:target:ro`, got `{text[:80]}`")
    way = posixpath.normpath(target).strip("/").split("/")
    if target[:1] != "/" or ".." in target.split("/") or not any(way):
        raise PathProblem(f"`{target}` is not an absolute path in the container, below `/`")
    if way[0] == RESULT_FILE:
        raise PathProblem(f"`/{RESULT_FILE}` is where the container's result goes; mount it elsewhere than `{target}`")
    named = "/" not in source and not source.startswith(".")
    if not named:
        check_path_text(source)
    elif not re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+", source):
        raise PathProblem(f"`{source}` is neither a path such as `./data` nor the name of a volume")
    return Mount(source, target, read_only=mode == "ro", named=named)


def _checked_volume(text: str) -> str:
    try:
        _parse_volume(text)
    except PathProblem as problem:
        raise PydanticCustomError("bad_value", "{problem}", {"problem": str(problem)}) from problem
    return text


def _on_disk(volume: str, directory: Path, root: Path) -> Mount:
    """The mount with the place of its source, without links.

    Raises:
        PathProblem: the source is outside of the project, not there, or neither a file nor a folder.
    """
    mount = _parse_volume(volume)
    place = resolve_inside(mount.source, directory, root)
    if not mount.named and not place.is_file() and not place.is_dir():
        raise PathProblem(f"`{mount.source}` is not there, or is neither a file nor a folder")
    if mount.named and place.exists():
        raise PathProblem(f"`{mount.source}` names a volume; for what lies there write `./{mount.source}`")
    return mount if mount.named else replace(mount, source=str(place))


def _matching(pattern: str, expected: str) -> AfterValidator:
    def check(value: str) -> str:
        if re.fullmatch(pattern, value):
            return value
        words = {"expected": expected, "value": value[:80]}
        raise PydanticCustomError("bad_value", "expected {expected}, got `{value}`", words)

    return AfterValidator(check)


_TEXT_OR_LIST = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": ["string", "number", "boolean"]}}]}
Arguments = Annotated[list[Templated[Text]], BeforeValidator(split_command), WithJsonSchema(_TEXT_OR_LIST)]
"""Arguments as a list, or as one text that is split where a shell would split it."""
Volume = Annotated[Line, AfterValidator(_checked_volume)]
Folder = Annotated[Line, _matching("/.*", "an absolute path in the container")]
Network = Annotated[Line, _matching(rf"(?!host$){_NAME}", _NETWORK)]
User = Annotated[Line, _matching(rf"{_NAME}(:{_NAME})?", "`user` or `user:group`, as names or numbers")]


STARTER = Starter(
    step="""\
  - id: work
    type: docker
    image: python:3.12-slim
    command: [python, -c, "print('hello')"]
    # env_from: my-secret           # every key of a secret as a variable of its environment
    timeout: 10m
    retries: 1
    retry_delay: 1m
""",
    expected="      steps: {work: {image: python:3.12-slim}}",
)


class Docker(Step):
    """Run a command in a container; the step succeeds when it ends with exit code 0."""

    step_type = "docker"
    summary = "Run a command in a container, on the Docker engine of the worker's machine"
    starter = STARTER
    takes_environment = True
    output = ProcessOutput
    refused_keys = _REFUSED_OPTIONS
    argument_fields = frozenset({"command", "entrypoint"})
    split_fields: ClassVar[Mapping[str, Callable[[Any], Any]]] = {"command": split_command, "entrypoint": split_command}

    image: ImageReference = Field(
        description="The image, with its tag or digest.", examples=["python:3.12-slim", "team/etl:${{ environment }}"]
    )
    command: Annotated[Arguments, AfterValidator(_not_empty)] | None = Field(
        default=None,
        description="What to run: a list of arguments, or one text; no shell reads it. Default: the image's.",
        examples=[["python", "load.py", "--until", "${{ run.start | date }}"], "python load.py --all"],
    )
    entrypoint: Arguments | None = Field(
        default=None,
        description="Stands before the command, in place of the image's own; an empty list removes that.",
        examples=[["sh", "-c"]],
    )
    working_dir: Templated[Folder] | None = Field(
        default=None, description="The folder to start in, in the container.", examples=["/app"]
    )
    volumes: list[Templated[Volume]] = Field(
        default=[],
        description="What to mount, as `source:target`, or `source:target:ro` to forbid writing. A source is "
        "a path from the spec's folder, inside the project, with a `/` in it; or the name of a volume.",
        examples=[["./queries:/app/queries:ro", "cache:/var/cache/etl"]],
    )
    network: Templated[Network] | None = Field(
        default=None, description="The network to join. Default: the engine's bridge.", examples=["none"]
    )
    user: Templated[User] | None = Field(
        default=None, description="Who runs the command. Default: as the image says.", examples=["1000:1000"]
    )
    memory: Templated[Annotated[Size, Field(ge=LEAST_MEMORY)]] = Field(
        default=DEFAULT_MEMORY,
        description="How much memory it may use, swap included; beyond it, it is killed. Default: `2g`.",
        examples=["512m"],
    )
    cpus: Templated[Annotated[Number, Field(ge=0.01, le=1024)]] | None = Field(
        default=None, description="How many processors it may use. Default: all.", examples=[1.5]
    )
    pids_limit: Templated[Annotated[WholeNumber, Field(ge=1, le=1_000_000)]] = Field(
        default=512, description="How many processes and threads it may have at a time.", examples=[2000]
    )
    pull: Templated[PullPolicy] = Field(
        default="once",
        description="When to pull the image: `once` per run, before the first step that uses it; `always`, "
        "before each; `missing`, where the machine does not have it; `never`. Where `once` and `always` "
        "cannot pull, the step fails: an image that is in no registry needs `missing` or `never`.",
        examples=["missing"],
    )
    pull_retries: Templated[Annotated[WholeNumber, Field(ge=0, le=100)]] = Field(
        default=1, description="How often to pull again when that fails.", examples=[3]
    )
    pull_retry_delay: Templated[Duration] = Field(
        default=3, description="How long to wait before pulling again.", examples=["5m"]
    )
    registry: Login | None = Field(
        default=None,
        description="The login for the image's registry. Default: what `docker login` left on the machine.",
        examples=["${{ secrets.registry }}"],
    )

    @classmethod
    def clear_up(cls, log: Log) -> None:
        remove_orphans(log)

    def execute(self, run: StepRun) -> Output:
        """Pull the image as `pull` says, run the container, stream its output into the log, remove it."""
        _check_names(run.environ)
        mounts = self._mounts(run)
        source = Source(self.image, self.pull, self.pull_retries, self.pull_retry_delay, self.registry)
        plan = ContainerPlan(
            image=self.image,
            image_id=provide_image(source, run),
            command=self.command,
            entrypoint=self.entrypoint,
            working_dir=self.working_dir,
            user=self.user,
            network=self.network,
            mounts=mounts,
            memory=self.memory,
            cpus=self.cpus,
            pids_limit=self.pids_limit,
        )
        with engine() as client:
            return run_container(client, plan, run)

    def recorded(self, run: StepRun) -> dict[str, Any]:
        """The keys of the step; `argv` is what the container is told to run, without an entrypoint of its own."""
        keys = super().recorded(run)
        shown = {key: keys[key] for key in keys if key not in ("command", "registry")}
        return {**shown, "argv": list(self.command or [])}

    def exit_message(self, code: int) -> str:
        return ended_with(self.image, code)

    def _mounts(self, run: StepRun) -> list[Mount]:
        try:
            return [_on_disk(volume, run.directory, run.root) for volume in self.volumes]
        except PathProblem as problem:
            raise StepFailed(f"cannot mount: {problem}", permanent=True) from problem

    def problems(self, directory: Path, root: Path) -> list[tuple[tuple[str | int, ...], str]]:
        found: list[tuple[tuple[str | int, ...], str]] = []
        for index, volume in enumerate(self.volumes):
            try:
                if not isinstance(volume, Unrendered):
                    _on_disk(volume, directory, root)
            except PathProblem as problem:
                found.append((("volumes", index), str(problem)))
        return found

    def preview(self, run: StepRun) -> list[str]:
        before = (self.entrypoint or [])[1:]
        arguments = [*self._command_line_options(run), self.image, *before, *(self.command or [])]
        lines = [["docker", "run", *arguments]]
        if self.pull in ("once", "always"):
            lines.insert(0, ["docker", "pull", self.image])
        return [shlex.join(line) for line in lines]

    def _command_line_options(self, run: StepRun) -> Iterator[str]:
        yield from ("--rm", "--init", "--cap-drop=ALL", "--security-opt=no-new-privileges")
        yield from (f"--memory={self.memory}", f"--pids-limit={self.pids_limit}")
        singles = {"cpus": self.cpus, "network": self.network, "user": self.user, "workdir": self.working_dir}
        yield from (f"--{name}={value}" for name, value in singles.items() if value is not None)
        yield from (f"--volume={volume}" for volume in self.volumes)
        yield from (f"--env={name}" for name in run.environ)
        if self.entrypoint is not None:
            yield f"--entrypoint={(self.entrypoint or [''])[0]}"


def _check_names(environ: Mapping[str, str]) -> None:
    """The engine takes `name=value` as one text, and would read the end of an odd name as the value."""
    for name, value in environ.items():
        if not name or "=" in name or "\0" in name + value:
            message = f"`{name}` cannot be set: a variable has a name without `=`, and nothing holds NUL"
            raise StepFailed(message, permanent=True)
