"""The Prefect server as `flowmill register` talks to it: few requests, each tried again quickly, bounded in time."""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.exceptions import PrefectHTTPStatusError
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, get_current_settings, temporary_settings

from flowmill.backend.address import shown
from flowmill.registering.live import FLOW, WORKSPACE, Live

PAGE = 200
"""What a server gives at most in one answer."""
TIMEOUT = 10.0
"""Seconds that one answer may take."""
TRIED_FOR = 8.0
"""Seconds in which a request is tried again that a busy server has turned away."""
_BUSY = {429, 502, 503, 504}
_ID = re.compile(r"/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_FIRST_WAIT, _LONGEST_WAIT = 0.1, 1.0


class ServerError(Exception):
    """The server cannot be asked, or refuses; the text is for users and names its address without credentials."""


class ServerLost(ServerError):
    """The server does not answer: whatever comes next would fail as well."""


class ServerConflict(ServerError):
    """Somebody has written the same at the same moment."""


class Server:
    """A connection to the server that Prefect's settings name."""

    def __init__(self, client: SyncPrefectClient, address: str) -> None:
        self.address = address
        self._client = client
        self._now = datetime.now(UTC)

    @property
    def now(self) -> datetime:
        """The server's clock when it last answered; this machine's may be wrong."""
        return self._now

    def ask(self, method: Any, path: str, content: Any = None, *, missing: bool = False, existing: bool = False) -> Any:
        """What the server answers, as data.

        Args:
            missing: answer None where the server says that there is no such thing.
            existing: answer None where the server says that there is such a thing already.

        Raises:
            ServerError: it refuses, or does not answer.
        """
        answer = self._tried(method, path, content)
        if missing and answer.status_code == httpx.codes.NOT_FOUND:
            return None
        if existing and answer.status_code == httpx.codes.CONFLICT:
            return None
        if answer.is_error:
            raise self._refusal(path, answer)
        return self._data(path, answer)

    def pages(self, path: str, content: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Everything that a filter finds."""
        start = 0
        while True:
            found = self.ask("POST", path, {**content, "limit": PAGE, "offset": start})
            yield from found
            start += len(found)
            if len(found) < PAGE:
                return

    def deployments(self, environment: str) -> list[Live]:
        """Every deployment that is called like the environment, whoever made it."""
        by_name = {"deployments": {"name": {"any_": [environment]}}}
        found = list(self.pages("/deployments/filter", {**by_name, "sort": "NAME_ASC"}))
        names = self._flow_names([it for it in found if not _labelled(it)])
        return [
            Live(it["id"], str((it.get("labels") or {}).get(FLOW) or names.get(it["flow_id"], "")), it) for it in found
        ]

    def _flow_names(self, deployments: list[dict[str, Any]]) -> dict[str, str]:
        """The names of the flows of deployments that others have made, by the flows' ids."""
        ids = sorted({it["flow_id"] for it in deployments})
        found: dict[str, str] = {}
        for start in range(0, len(ids), PAGE):
            some = {"flows": {"id": {"any_": ids[start : start + PAGE]}}}
            found |= {it["id"]: it["name"] for it in self.pages("/flows/filter", some)}
        return found

    def flow(self, name: str) -> str:
        """The id of a flow, which is made if it is not there."""
        return str(self.ask("POST", "/flows/", {"name": name})["id"])

    def _tried(self, method: Any, path: str, content: Any) -> httpx.Response:
        deadline, wait = time.monotonic() + TRIED_FOR, _FIRST_WAIT
        while True:
            try:
                answer = self._once(method, path, content)
            except httpx.TransportError as error:
                if isinstance(error, httpx.TimeoutException) or time.monotonic() + wait > deadline:
                    raise self._lost(error) from None
            else:
                if answer.status_code not in _BUSY or time.monotonic() + wait > deadline:
                    return answer
            time.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT)

    def _once(self, method: Any, path: str, content: Any) -> httpx.Response:
        try:
            answer: httpx.Response = self._client.request(method, path, json=content)  # type: ignore[arg-type]  # a list of literals there
        except PrefectHTTPStatusError as error:
            answer = error.response
        except httpx.HTTPStatusError as error:
            answer = error.response
        if said := answer.headers.get("date"):
            self._now = parsedate_to_datetime(said).astimezone(UTC)
        return answer

    def _data(self, path: str, answer: httpx.Response) -> Any:
        if answer.status_code == httpx.codes.NO_CONTENT:
            return None
        try:
            return answer.json()
        except ValueError:
            raise ServerError(
                f"{self.address} does not answer as a Prefect server does; does it end in `/api`?"
            ) from None

    def _lost(self, error: httpx.TransportError) -> ServerLost:
        late = isinstance(error, httpx.TimeoutException)
        why = f"did not answer within {TIMEOUT:.0f} s" if late else "does not answer"
        return ServerLost(f"the Prefect server at {self.address} {why}; is it running, and is PREFECT_API_URL right?")

    def _refusal(self, path: str, answer: httpx.Response) -> ServerError:
        code = answer.status_code
        if code in (401, 403):
            return ServerLost(
                f"the Prefect server at {self.address} wants credentials ({code}): set PREFECT_API_AUTH_STRING"
            )
        if code in _BUSY:
            return ServerLost(f"the Prefect server at {self.address} stayed busy ({code}) for {TRIED_FOR:.0f} s")
        if code == httpx.codes.NOT_FOUND and _ID.search(path):
            return ServerError(f"somebody has deleted {path} on the Prefect server in the meantime; register again")
        if code == httpx.codes.NOT_FOUND:
            return ServerLost(f"{self.address}{path} is not there (404): is PREFECT_API_URL right? It ends in `/api`")
        kind = ServerConflict if code == httpx.codes.CONFLICT else ServerError
        return kind(f"the Prefect server at {self.address} answers {code} to {path}{_detail(answer)}")


def _detail(answer: httpx.Response) -> str:
    """What a server says about a refusal, where it says it in words."""
    try:
        detail = answer.json().get("detail")
    except (ValueError, AttributeError):
        return ""
    return f": {detail[:300]}" if isinstance(detail, str) else ""


def _labelled(deployment: Mapping[str, Any]) -> str:
    """The flow that a deployment of ours is of; empty for those of others."""
    return str((deployment.get("labels") or {}).get(FLOW) or "")


def labels_of(workspace: str, flow: str) -> dict[str, str]:
    """What says whose a deployment is."""
    return {WORKSPACE: workspace, FLOW: flow}


@contextmanager
def configured() -> Iterator[Server]:
    """The server that Prefect's settings name.

    Raises:
        ServerError: they name none, or it does not answer.
    """
    url = get_current_settings().api.url
    if not url:
        raise ServerError("no Prefect server is configured: set PREFECT_API_URL")
    address = shown(url)
    # Tried again here, quickly; Prefect's client would sleep for seconds.
    once = temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0})
    with once, get_client(httpx_settings={"timeout": TIMEOUT}, sync_client=True) as client:
        yield Server(client, address)
