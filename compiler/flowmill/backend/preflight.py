"""What is looked at on a server before anything is written, besides its deployments, pools and queues."""

import ipaddress
from collections.abc import Iterable, Iterator

import httpx
import prefect
from prefect.settings import get_current_settings

from flowmill.backend.block_documents import stored
from flowmill.backend.secret_check import absent, missing
from flowmill.backend.server import Server
from flowmill.registering.manifest import Manifest
from flowmill.registering.preflight import Obstacle
from flowmill.registering.view import TOKEN
from flowmill.secrets.needs import Need

_USERS_AT_MOST = 3


def version_of(server: Server) -> str:
    """The release of Prefect that the server is; empty where it does not say."""
    return str(server.ask("GET", "/admin/version", missing=True) or "")


def versions(server: str) -> Iterator[Obstacle]:
    """A server that is older than this client: it may not know what it is told.

    Args:
        server: its release.
    """
    here = prefect.__version__
    if server and _minor(server) < _minor(here):
        hint = "upgrade the server first, then workers and those who register"
        yield Obstacle("warning", f"the server is Prefect {server}, and this is Prefect {here}", hint)


def _minor(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())


def openness(address: str) -> Iterator[Obstacle]:
    """A server on another machine to which anybody on the way, or anybody at all, could say what is run."""
    url, api = httpx.URL(address), get_current_settings().api
    if _is_loopback(url.host):
        return
    if url.scheme == "http":
        hint = "let the server be reached by https, or through a tunnel"
        yield Obstacle("warning", f"what is sent to {url.host} is not encrypted", hint)
    if not (api.auth_string or api.key):
        hint = "set PREFECT_SERVER_API_AUTH_STRING on the server, and PREFECT_API_AUTH_STRING here"
        yield Obstacle("warning", f"the server at {url.host} lets anybody in, without a password", hint)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def secrets(server: Server, needs: Iterable[Need]) -> Iterator[Obstacle]:
    """Secrets that flows name and the server has not; their keys are for `flowmill secrets check`.

    Raises:
        ServerError: the server refuses, or does not answer.
    """
    for need in missing(server, needs):
        flows = list(need.used_by)
        more = f" and {len(flows) - _USERS_AT_MOST} more" if len(flows) > _USERS_AT_MOST else ""
        users = ", ".join(flows[:_USERS_AT_MOST]) + more
        yield Obstacle("warning", f"the secret `{need.name}` is lacking, for {users}", absent(str(need.name)))


def tokens(server: Server, manifest: Manifest) -> Iterator[Obstacle]:
    """A block that is to hold the token of the repository and is not there: no run could fetch its code.

    Raises:
        ServerError: the server refuses, or does not answer.
    """
    steps = [step for it in manifest.deployments.values() for step in it.body["pull_steps"]]
    names = sorted({step[TOKEN]["block"] for step in steps if TOKEN in step})
    there = stored(server, names) if names else {}
    for name in names:
        if name not in there or there[name].kind != "secret":
            message = f"there is no Secret block `{name}`, which `repository_token` in flowmill.yaml names"
            yield Obstacle("warning", message, f"`flowmill secrets set {name}` makes it; until then, runs fail")
