"""The image of a `docker` step: how it is named, and how it comes from a registry to the engine."""

import contextvars
import re
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn, TypeVar

from pydantic import AfterValidator, AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from flowmill_tasks._docker_container import engine, explained
from flowmill_tasks.base import Log, StepCancelled, StepFailed, StepRun
from flowmill_tasks.cancellation import Cancellation
from flowmill_tasks.duration import in_words
from flowmill_tasks.fields import Line, SecretText, Templated

if TYPE_CHECKING:
    from docker import DockerClient

PullPolicy = Literal["once", "always", "missing", "never"]

_DOCKER_HUB = {"registry-1.docker.io", "registry.hub.docker.com", "hub.docker.com"}
"""Names of Docker Hub besides `docker.io` and `index.docker.io`, which the SDK knows."""

# The grammar of github.com/distribution/reference.
_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::[0-9]+)?"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_DIGEST = r"[A-Za-z][A-Za-z0-9]*(?:[+._-][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"
_REFERENCE = re.compile(rf"(?:{_HOST}/)?{_COMPONENT}(?:/{_COMPONENT})*(?::{_TAG})?(?:@{_DIGEST})?")
_REFERENCE_AT_MOST = 512

T = TypeVar("T")


def _as_reference(text: str) -> str:
    if len(text) <= _REFERENCE_AT_MOST and _REFERENCE.fullmatch(text):
        return text
    raise PydanticCustomError(
        "bad_value",
        "expected an image such as `python:3.12-slim` or `ghcr.io/team/image:1.4`, got `{text}`",
        {"text": text[:80]},
    )


ImageReference = Templated[Annotated[Line, AfterValidator(_as_reference)]]
"""The name of an image with its registry, tag and digest, each of which but the name may be left out."""


class RegistryLogin(BaseModel):
    """Who may pull. The keys are also those of Prefect's block `docker-registry-credentials`."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True)

    username: Templated[Line] = Field(description="Whom to log in as.", examples=["${{ secrets.registry.username }}"])
    password: SecretText = Field(
        description="The password or access token.", examples=["${{ secrets.registry.password }}"]
    )
    url: Templated[Line] | None = Field(
        default=None,
        validation_alias=AliasChoices("url", "registry_url"),
        description="The registry that it is for; images of others are refused. Default: the image's.",
        examples=["ghcr.io"],
    )


def _as_login(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    # `reauth` is the block's, and means something only to a client that stays logged in.
    return RegistryLogin.model_validate({name: item for name, item in value.items() if name != "reauth"})


Login = Templated[Annotated[RegistryLogin, BeforeValidator(_as_login)]]
"""A login as a map, or as one expression that gives such a map."""


@dataclass(frozen=True)
class Source:
    """Where an image comes from, and how hard to try; the delay in seconds."""

    image: str
    policy: PullPolicy
    retries: int
    retry_delay: int
    login: RegistryLogin | None


def provide_image(source: Source, run: StepRun) -> str:
    """The id of the image that is to run, pulled as `source.policy` says.

    `once` is once per run: all its steps use the image that the tag meant when the first of them began.

    Raises:
        StepFailed: the image is not there and was not to be pulled, or could not be.
        StepCancelled: the step has to stop. A pull that is under way goes on, for the steps that wait for it.
    """
    obtain = partial(_obtain, source, run)
    if source.policy == "once":
        key = f"docker pull {source.image}"
        return str(_unless_cancelled(lambda: run.memory.once(key, obtain), run.cancellation))
    return _unless_cancelled(obtain, run.cancellation)


def _unless_cancelled(work: Callable[[], T], cancellation: Cancellation) -> T:
    """What `work` gives; when the step has to stop first, `work` is left to end by itself.

    A pull cannot be broken off from outside: the engine may be silent for long, waiting for a registry.
    """
    future: Future[T] = Future()
    wake = threading.Event()
    future.add_done_callback(lambda _: wake.set())
    cancellation.on_cancel(wake.set)
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(_settle, future, work), daemon=True).start()
    wake.wait()
    if not future.done():
        raise StepCancelled(cancellation.reason)
    return future.result()


def _settle(future: "Future[T]", work: Callable[[], T]) -> None:
    try:
        future.set_result(work())
    except BaseException as error:  # noqa: BLE001 - it is raised again in the thread that waits
        future.set_exception(error)


def _obtain(source: Source, run: StepRun) -> str:
    with engine() as client:
        image_id = _local_id(client, source.image)
        if image_id and source.policy in ("missing", "never"):
            return image_id
        if source.policy == "never":
            message = f"image `{source.image}` is not on this machine, and `pull: never` forbids to pull it"
            raise StepFailed(message, permanent=True)
        _pull_with_retries(client, source, run)
        return _local_id(client, source.image) or _vanished(source.image)


def _local_id(client: "DockerClient", image: str) -> str | None:
    from docker.errors import ImageNotFound

    with explained(f"image `{image}` could not be looked up"):
        try:
            return client.images.get(image).id
        except ImageNotFound:
            return None


def _vanished(image: str) -> NoReturn:
    raise StepFailed(f"image `{image}` was pulled, but something on this machine has removed it since")


def _pull_with_retries(client: "DockerClient", source: Source, run: StepRun) -> None:
    login = _auth_config(source)
    for left in range(source.retries, -1, -1):
        try:
            _pull(client, source.image, login, run.log)
            return
        except StepFailed as error:
            if left == 0:
                hint = "; `pull: missing` would use the one on this machine"
                known = _local_id(client, source.image)
                raise StepFailed(error.message + (hint if known else "")) from error
            run.log.warning(f"{error.message}; pulling again in {in_words(source.retry_delay)}")
        if run.cancellation.wait(source.retry_delay):
            raise StepCancelled(run.cancellation.reason)


def _pull(client: "DockerClient", image: str, login: dict[str, str] | None, log: Log) -> None:
    log.info(f"pulling image `{image}`")
    failed = f"image `{image}` could not be pulled"
    with explained(failed):
        for event in client.api.pull(image, stream=True, decode=True, auth_config=login):
            if "error" in event:
                raise StepFailed(f"{failed}: {event['error']}")
            if "status" in event and "id" not in event:  # the digest and the outcome, not the layers
                log.info(event["status"])


def _auth_config(source: Source) -> dict[str, str] | None:
    """What the engine shows to the registry; None leaves it to what `docker login` stored on the machine."""
    from docker.auth import resolve_repository_name
    from docker.utils import parse_repository_tag

    login = source.login
    if login is None:
        return None
    registry, _ = resolve_repository_name(parse_repository_tag(source.image)[0])
    if login.url and _registry_host(login.url) != registry:
        message = f"the login is for `{login.url}`, but image `{source.image}` comes from `{registry}`"
        raise StepFailed(message, permanent=True)
    return {"username": login.username, "password": login.password.reveal(), "serveraddress": registry}


def _registry_host(url: str) -> str:
    from docker.auth import INDEX_NAME, resolve_index_name

    host: str = resolve_index_name(url)
    return INDEX_NAME if host in _DOCKER_HUB else host
