"""One container on the Docker engine: connected to, started, followed line by line, stopped and removed."""

import os
import re
import secrets
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flowmill_tasks import owner
from flowmill_tasks._docker_result import ENVIRON, put_result_file, take_result
from flowmill_tasks._transcript import Transcript
from flowmill_tasks.base import GRACE, Log, ProcessOutput, StepCancelled, StepFailed, StepRun

if TYPE_CHECKING:
    from docker import DockerClient
    from docker.models.containers import Container

CONNECT_WITHIN = 2
"""Seconds in which the engine has to accept a connection."""
FIRST_ANSWER_WITHIN = 4
"""Seconds in which an engine that did accept one has to answer: a busy one is slow, not gone."""
ANSWER_WITHIN = 60
STOP_ANSWER_WITHIN = 4
"""Seconds beyond the grace: whoever stops a step waits for this, so it must be short."""

ENGINE_LOG = {"max-size": "10m", "max-file": "1"}
"""The engine's own copy on disk, for `docker logs` while the container runs."""


class EngineUnreachable(StepFailed):
    """There is no Docker engine where the worker looks for one, or it went away."""


@dataclass(frozen=True)
class Mount:
    """A folder or file of the project, or a named volume, as the container sees it."""

    source: str
    target: str
    read_only: bool
    named: bool


@dataclass(frozen=True)
class ContainerPlan:
    """What is to run and within which limits; memory in bytes, cpus in cores."""

    image: str
    """As the spec names it, for messages."""
    image_id: str
    command: list[str] | None
    entrypoint: list[str] | None
    working_dir: str | None
    user: str | None
    network: str | None
    mounts: list[Mount]
    memory: int
    cpus: float | None
    pids_limit: int


@contextmanager
def engine(answer_within: int = ANSWER_WITHIN) -> Iterator["DockerClient"]:
    """A connection to the engine that `DOCKER_HOST` of this process names; the default socket without it.

    Args:
        answer_within: seconds that the engine may take for one answer.

    Raises:
        EngineUnreachable: nothing answers there.
    """
    client = _connect()
    client.api.timeout = answer_within
    try:
        yield client
    finally:
        client.close()


def _connect() -> "DockerClient":
    import docker
    from docker.errors import DockerException
    from requests.exceptions import ReadTimeout

    try:
        try:
            return docker.from_env(timeout=CONNECT_WITHIN)
        except DockerException as error:
            if not isinstance(error.__cause__, ReadTimeout):
                raise
            return docker.from_env(timeout=FIRST_ANSWER_WITHIN)
    except (DockerException, ValueError) as error:
        raise _unreachable(error) from error


def _unreachable(error: Exception) -> EngineUnreachable:
    host = os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
    denied = isinstance(_system_error(error), PermissionError)
    question = "is it running, and is DOCKER_HOST of the worker right?"
    hint = "the worker's user has to be in the group `docker`" if denied else question
    message = f"the Docker engine at `{host}` cannot be reached ({_reason(error)}); {hint}"
    return EngineUnreachable(re.sub(r"//[^/@\s]*@", "//", message))


def _reason(error: Exception) -> str:
    cause = _system_error(error)
    return str(getattr(cause, "strerror", None) or cause or error).lower()


def _system_error(error: BaseException | None) -> OSError | None:
    """What the system said, beneath what requests and the SDK have wrapped around it."""
    from requests.exceptions import RequestException

    while error is not None:
        if isinstance(error, OSError) and not isinstance(error, RequestException):
            return error
        error = error.__cause__ or error.__context__
    return None


@contextmanager
def explained(what_failed: str) -> Iterator[None]:
    """Turn what the SDK raises into a `StepFailed` that begins with `what_failed`."""
    from docker.errors import APIError, DockerException
    from requests.exceptions import RequestException

    try:
        yield
    except APIError as error:
        raise StepFailed(f"{what_failed}: {error.explanation or error}") from error
    except (DockerException, RequestException) as error:
        raise EngineUnreachable(f"{what_failed}: the Docker engine went away ({_reason(error)})") from error


def run_container(client: "DockerClient", plan: ContainerPlan, run: StepRun) -> ProcessOutput:
    """Run a container to its end, log what it prints, and remove it whatever happens.

    Returns:
        the end of what it wrote to standard output, as `Transcript` keeps it, and its result.

    Raises:
        StepFailed: it could not be started, ended with another exit code than 0, or ran out of memory.
        StepCancelled: it was stopped because the step has to stop.
    """
    _remove_leftovers(client, run)
    if run.cancellation.is_set():
        raise StepCancelled(run.cancellation.reason)
    with explained(f"no container of image `{plan.image}` could be made"):
        _check_network(client, plan.network)
        container = client.containers.create(**_create_arguments(plan, run))
    try:
        with explained(f"the container of image `{plan.image}` could not be prepared"):
            put_result_file(container)
        stdout = _follow(container, plan, run)
        with explained(f"the result of the container of image `{plan.image}` could not be read"):
            return ProcessOutput(stdout=stdout, exit_code=0, result=take_result(container))
    finally:
        remove_container(container, run.log)


def _remove_leftovers(client: "DockerClient", run: StepRun) -> None:
    """An attempt whose process was killed could not remove its container; it may still be at work."""
    with explained("containers of earlier attempts could not be looked for"):
        leftovers = client.containers.list(all=True, ignore_removed=True, filters={"label": f"flowmill.key={run.key}"})
    for container in leftovers:
        run.log.warning(f"removing container `{container.name}`, which an earlier attempt left behind")
        remove_container(container, run.log)


def _check_network(client: "DockerClient", name: str | None) -> None:
    """The engine takes a network's id for its name, so the host's network has more names than `host`."""
    from docker.errors import NotFound

    if name is None:
        return
    try:
        network = client.networks.get(name)
    except NotFound as error:
        message = f"network `{name}` does not exist on this engine; make it with `docker network create`"
        raise StepFailed(message, permanent=True) from error
    if network.attrs["Driver"] == "host":
        raise StepFailed(f"network `{name}` is the host's own, which a step may not use", permanent=True)


def _create_arguments(plan: ContainerPlan, run: StepRun) -> dict[str, Any]:
    from docker.types import LogConfig

    return {
        "name": _unique_name(run),
        "labels": _labels(run),
        "image": plan.image_id,
        "command": plan.command,
        "entrypoint": plan.entrypoint,
        "environment": {**run.environ, **ENVIRON},
        "use_config_proxy": False,  # would add variables of the machine to those of the spec
        "working_dir": plan.working_dir,
        "user": plan.user,
        "network_mode": plan.network,
        "mounts": [_sdk_mount(mount) for mount in plan.mounts],
        "mem_limit": plan.memory,
        "memswap_limit": plan.memory,
        "nano_cpus": round(plan.cpus * 1e9) if plan.cpus else None,
        "pids_limit": plan.pids_limit,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        "init": True,
        "log_config": LogConfig(type=LogConfig.types.JSON, config=ENGINE_LOG),
    }


def _sdk_mount(mount: Mount) -> Any:
    # A mount, and not a bind: for a source that is not there the engine would make a folder, owned by root.
    from docker.types import Mount as SdkMount

    return SdkMount(mount.target, mount.source, type="volume" if mount.named else "bind", read_only=mount.read_only)


def _unique_name(run: StepRun) -> str:
    key = re.sub(r"[^A-Za-z0-9_.-]+", "-", run.key)[:80]
    return f"flowmill-{key}-{run.attempt}-{secrets.token_hex(4)}"


def _labels(run: StepRun) -> dict[str, str]:
    labels = {f"flowmill.{name}": value for name, value in run.labels.items()}
    return {**labels, **owner.labels(), "flowmill.step": run.step_id, "flowmill.key": run.key}


def _follow(container: "Container", plan: ContainerPlan, run: StepRun) -> str:
    transcript = Transcript(run.log)
    with explained(f"the container of image `{plan.image}` could not be started"):
        stream = container.attach(stream=True, demux=True)
        container.start()
    run.cancellation.on_cancel(lambda: stop_container(container.id or "", run.log))
    for stdout, stderr in stream:
        transcript.stdout.feed(stdout or b"")
        transcript.stderr.feed(stderr or b"")
    transcript.close()
    with explained(f"the end of the container of image `{plan.image}` was not seen"):
        container.wait()  # output that has ended does not mean that the process has
        container.reload()
    if run.cancellation.is_set():
        raise StepCancelled(run.cancellation.reason, tail=transcript.tail())
    _check_end(container.attrs["State"], plan, run.log, transcript)
    return transcript.stdout.kept()


def stop_container(container_id: str, log: Log) -> None:
    """TERM, and KILL after the grace, from whichever thread stops the step; over a connection of its own."""
    from docker.errors import NotFound

    try:
        with engine(STOP_ANSWER_WITHIN) as client, explained("the container could not be stopped"):
            client.api.stop(container_id, timeout=int(GRACE))
    except StepFailed as error:
        if not isinstance(error.__cause__, NotFound):
            log.error(error.message)


def remove_container(container: "Container", log: Log) -> None:
    """Remove the container, running or not, with the volumes that its image declares."""
    from docker.errors import APIError

    try:
        with explained(f"container `{container.name}` is left behind, to be removed by the next attempt"):
            container.remove(force=True, v=True)
    except StepFailed as error:
        cause = error.__cause__
        # 404: gone already; 409: another one is removing it.
        if not (isinstance(cause, APIError) and cause.status_code in (404, 409)):
            log.error(error.message)


def _check_end(state: dict[str, Any], plan: ContainerPlan, log: Log, transcript: Transcript) -> None:
    code = int(state["ExitCode"])
    limit = f"out of memory: a process was killed at the limit of {plan.memory >> 20} MiB, see `memory`"
    if code == 0:
        if state["OOMKilled"]:
            log.warning(f"{limit}, although the exit code is 0")
        return
    message = ended_with(plan.image, code, f" ({limit})" if state["OOMKilled"] else "")
    raise StepFailed(message, exit_code=code, tail=transcript.tail())


def ended_with(image: str, code: int, reason: str = "") -> str:
    """What the failure is called; without a reason, an exit code is explained by convention."""
    return f"the container of image `{image}` ended with exit code {code}{reason or _meaning(code)}"


def _meaning(code: int) -> str:
    """What an exit code says by convention. Source: POSIX.1-2017, XCU 2.8.2; 128 and more are signals."""
    if code == 126:
        return " (the command cannot be executed)"
    if code == 127:
        return " (command not found)"
    try:
        return f" ({signal.Signals(code - 128).name})"
    except ValueError:
        return ""
