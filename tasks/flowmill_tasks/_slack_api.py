"""Posting one message to Slack: within a deadline, in bounded memory, and never twice by guess.

slack_sdk's clients are not used: they follow redirects, read a body of any size, restart their timeout with
every byte, sleep as long as `Retry-After` says where nothing can wake them, and log the address. httpx's
`Client` logs the address too, so this talks to httpx's transport, one layer below, which neither logs nor
follows. asyncio's timeout covers a whole exchange, from the lookup of the name to the last byte.

A POST is repeated only where Slack certainly did not take the message: no connection, 429, 5xx, or an error
word that says so. A request that was sent and not answered is not: the message may be in the channel.
"""

import contextlib
import json
import random
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flowmill_tasks.base import StepCancelled, StepFailed, StepRun
from flowmill_tasks.cancellation import Cancellation
from flowmill_tasks.duration import in_words
from flowmill_tasks.fields import Redacted

if TYPE_CHECKING:
    import asyncio

    import httpx

RETRIES = 3
"""POSTs after the first, within one attempt of a step."""
FIRST_PAUSE = 0.5
"""Seconds before the second POST; doubled for each one after it."""
CONNECT_WITHIN = 10.0
"""Seconds for one connection."""
CONNECT_SHARE = 0.8
"""The part of the time left that a connection may take, where that is less: so a host that drops packets is
told from one that took the message and does not answer."""
ANSWER_AT_MOST = 8 * 1024 * 1024
"""Bytes of an answer that are read: chat.postMessage sends the message back, several bytes a character."""

_ERROR_WORD = re.compile(r"[a-z][a-z0-9_]{0,63}")

_NOT_TAKEN = {"ratelimited", "rate_limited", "service_unavailable", "request_timeout"}
"""Error words of the API that mean: not posted, try again."""
_MAYBE_TAKEN = {"internal_error", "fatal_error"}
"""Error words after which, as Slack documents, a part of the work may have been done."""

_HINTS = {
    "channel_not_found": "check `channel`, and invite the app to it when it is private",
    "not_in_channel": "invite the app to the channel",
    "invalid_auth": "the token is not valid",
    "token_revoked": "install the app again",
    "account_inactive": "the app was removed from the workspace",
    "missing_scope": "the app needs the scope `chat:write`",
    "no_service": "the webhook was removed: make a new one",
    "action_prohibited": "the workspace does not allow this app to post there",
    "invalid_blocks": "try `blocks` in Slack's Block Kit Builder",
}


@dataclass(frozen=True)
class Target:
    """Where a message goes: a webhook, or `chat.postMessage` with a token."""

    name: str
    """What messages call it, since the address may be a secret."""
    address: Redacted
    token: Redacted | None = None


@dataclass
class _Exchange:
    """What came of one POST, filled in as it goes on."""

    connected: bool = True
    status: int = 0
    retry_after: str = ""
    body: bytes | None = field(default=None, repr=False)
    """None until it has come in whole; kept out of tracebacks, since an error page may repeat the address."""
    trouble: str = ""


@dataclass(frozen=True)
class _Refusal:
    """A message that Slack did not take, as far as is known."""

    message: str
    permanent: bool = False
    again: bool = False
    """Whether it is certain that the message was not taken, so that it may be sent once more."""
    pause: float = 0.0
    """Seconds that Slack asks to wait."""


def post(target: Target, body: bytes, seconds: float, run: StepRun) -> str:
    """Post a JSON body and return the message's timestamp, which a webhook does not tell (empty).

    Args:
        seconds: for everything together: all POSTs and the pauses between them.

    Raises:
        StepFailed: Slack did not take the message, or nobody can say whether it did.
        StepCancelled: the run was cancelled meanwhile.
    """
    deadline = time.monotonic() + seconds
    retry = 0
    while True:
        exchange = _exchange(target, body, deadline - time.monotonic(), run.cancellation)
        verdict = _judge(target, exchange)
        if isinstance(verdict, str):
            return verdict
        if run.cancellation.is_set():
            raise StepCancelled(run.cancellation.reason)
        if not verdict.again:
            raise StepFailed(verdict.message, permanent=verdict.permanent)
        if retry == RETRIES:
            raise StepFailed(f"{verdict.message}; gave up after {RETRIES + 1} attempts")
        _pause(verdict, retry, deadline, seconds, run)
        retry += 1


def _pause(refusal: _Refusal, retry: int, deadline: float, seconds: float, run: StepRun) -> None:
    # The random part keeps steps that were limited together from coming back together.
    pause = max(refusal.pause, FIRST_PAUSE * 2**retry) + random.uniform(0, 0.25)
    if time.monotonic() + pause >= deadline:
        raise StepFailed(
            f"{refusal.message}; waiting {in_words(round(pause, 1))} to try again does not fit into "
            f"`request_timeout` ({in_words(seconds)})"
        )
    run.log.warning(f"{refusal.message}; trying again in {in_words(round(pause, 1))}")
    if run.cancellation.wait(pause):
        raise StepCancelled(run.cancellation.reason)


def _exchange(target: Target, body: bytes, seconds: float, cancellation: Cancellation) -> _Exchange:
    """One POST, in an event loop of its own: that is what can be timed and broken off as a whole."""
    import asyncio

    exchange = _Exchange()
    loop = asyncio.new_event_loop()
    try:
        task = loop.create_task(_post_once(target, body, seconds, exchange))
        cancellation.on_cancel(lambda: _break_off(loop, task))
        loop.run_until_complete(task)
    except asyncio.CancelledError:
        exchange.trouble = "was broken off"
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        # Not `asyncio.run`: it would wait for a lookup of the host's name that hangs in its thread.
        loop.close()
    return exchange


def _break_off(loop: "asyncio.AbstractEventLoop", task: "asyncio.Task[None]") -> None:
    with contextlib.suppress(RuntimeError):  # the loop is closed: there is nothing left to break off
        loop.call_soon_threadsafe(task.cancel)


async def _post_once(target: Target, body: bytes, seconds: float, exchange: _Exchange) -> None:
    """Fill in `exchange`. Nothing is raised, so that no exception can carry the request along."""
    import httpx

    try:
        transport, request = _transport(target), _request(target, body, seconds)
    except (OSError, ValueError, ImportError, httpx.InvalidURL):
        exchange.connected = False
        exchange.trouble = "the address, or what HTTPS_PROXY or SSL_CERT_FILE names, cannot be used"
    else:
        await _send(transport, request, seconds, exchange)


async def _send(
    transport: "httpx.AsyncHTTPTransport", request: "httpx.Request", seconds: float, exchange: _Exchange
) -> None:
    import asyncio

    import httpx

    try:
        async with asyncio.timeout(seconds), transport:
            await _receive(await transport.handle_async_request(request), exchange)
    except TimeoutError:
        exchange.trouble = "did not answer within `request_timeout`"
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
        exchange.connected, exchange.trouble = False, _shown(str(error), 200) or "timed out"
    except (httpx.TransportError, OSError):
        exchange.trouble = "closed the connection before its answer was complete"


def _transport(target: Target) -> "httpx.AsyncHTTPTransport":
    """A transport that verifies certificates, and goes through the proxy that `HTTPS_PROXY` names."""
    import urllib.request

    import httpx

    address = urlsplit(target.address.reveal())
    # Plain http goes to this machine alone, where no proxy is needed.
    if address.scheme == "http" or urllib.request.proxy_bypass(address.hostname or ""):
        return httpx.AsyncHTTPTransport()
    proxy = urllib.request.getproxies().get("https")
    return httpx.AsyncHTTPTransport(proxy=f"http://{proxy}" if proxy and "://" not in proxy else proxy)


def _request(target: Target, body: bytes, seconds: float) -> "httpx.Request":
    import httpx

    headers = {"content-type": "application/json; charset=utf-8", "user-agent": "flowmill"}
    if target.token is not None:
        headers["authorization"] = f"Bearer {target.token.reveal()}"
    extensions = {"timeout": {"connect": min(CONNECT_WITHIN, CONNECT_SHARE * seconds)}}
    return httpx.Request("POST", target.address.reveal(), headers=headers, content=body, extensions=extensions)


async def _receive(response: "httpx.Response", exchange: _Exchange) -> None:
    exchange.status = response.status_code
    exchange.retry_after = response.headers.get("retry-after", "").strip()
    if _is_busy(exchange.status):
        return
    received = bytearray()
    async with contextlib.aclosing(response):
        async for chunk in response.aiter_raw():
            received += chunk
            if len(received) > ANSWER_AT_MOST:
                exchange.trouble = f"answered with more than {ANSWER_AT_MOST // 1024**2} MiB"
                return
    exchange.body = bytes(received)


def _judge(target: Target, exchange: _Exchange) -> str | _Refusal:
    """The message's timestamp, or why it was not posted."""
    if not exchange.connected:
        return _Refusal(f"no connection to {target.name}: {exchange.trouble}", again=True)
    answered = f"{target.name} answered {exchange.status}"
    if _is_busy(exchange.status):
        return _busy(answered, exchange)
    if 300 <= exchange.status < 400:
        return _Refusal(f"{answered}, a redirect, which is not followed: check the address", permanent=True)
    if exchange.status >= 400:
        return _Refusal(_with_word(answered, _error_word(exchange.body or b"")), permanent=True)
    if exchange.body is None:
        return _Refusal(f"{target.name} {exchange.trouble}; not sent again, for it may have been posted")
    return _judge_body(target, answered, exchange.body, exchange)


def _judge_body(target: Target, answered: str, body: bytes, exchange: _Exchange) -> str | _Refusal:
    """Read the body of a 200: `ok` from a webhook, a JSON object that says `ok` from the API."""
    answer = _json_object(body)
    if answer.get("ok") is True:
        return str(answer.get("ts", ""))
    if target.token is None and body.strip() == b"ok":
        return ""
    word = _error_word(body) if answer else ""
    if not word:
        return _Refusal(f"{answered}, but not in the way Slack does: check the address")
    if word in _NOT_TAKEN:
        return _busy(_with_word(answered, word), exchange)
    return _Refusal(_with_word(answered, word), permanent=word not in _MAYBE_TAKEN)


def _is_busy(status: int) -> bool:
    return status == 429 or status >= 500


def _busy(answered: str, exchange: _Exchange) -> _Refusal:
    if exchange.retry_after:
        answered += f" with Retry-After `{_shown(exchange.retry_after, 40)}`"
    return _Refusal(answered, again=True, pause=_retry_after(exchange.retry_after))


def _retry_after(value: str) -> float:
    """The seconds that a `Retry-After` header asks for, as a number or a date; 0 where it is neither.

    Source: RFC 9110, section 10.2.3.
    """
    from email.utils import parsedate_to_datetime

    if value.isascii() and value.isdecimal() and len(value) <= 12:
        return float(value)
    try:
        date = parsedate_to_datetime(value)
        # A date without a zone is in UTC, as HTTP dates are.
        date = date if date.tzinfo else date.replace(tzinfo=UTC)
        return max(0.0, (date - datetime.now(UTC)).total_seconds())
    except (ValueError, OverflowError):
        return 0.0


def _with_word(answered: str, word: str) -> str:
    hint = f": {_HINTS[word]}" if word in _HINTS else ""
    return f"{answered} `{word}`{hint}" if word else answered


def _error_word(body: bytes) -> str:
    """Slack's word for an error, such as `channel_not_found`; nothing else of a body is ever shown.

    An error page often repeats the path that was asked for, which for a webhook is the secret.
    """
    word = _json_object(body).get("error") or body[:100].decode("ascii", "replace").strip()
    return word if isinstance(word, str) and _ERROR_WORD.fullmatch(word) else ""


def _json_object(body: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):  # no JSON, or nested beyond all reason
        return {}
    return value if isinstance(value, dict) else {}


def _shown(text: str, limit: int) -> str:
    """Text from outside as a message may quote it: short, on one line, without backticks."""
    return re.sub(r"[^ -_a-~]+", " ", text[:limit])
