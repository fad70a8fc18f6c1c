"""The step type `slack`, against a loopback endpoint with real sockets."""

import logging
import os
import socket
import threading
import time
import traceback
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from flowmill_tasks.base import StepCancelled, StepFailed, StepTimedOut
from flowmill_tasks.cancellation import Cancellation
from flowmill_tasks.fields import Redacted
from flowmill_tasks.slack import Slack
from support.slack import (
    WEBHOOK_PATH,
    Reply,
    section,
    self_signed,
    server_context,
    slack_endpoint,
    to_webhook,
)
from support.steps import ListLog, run_step, step_run
from support.waiting import LEEWAY

TOKEN = "xoxb-1-CANARY"


def as_bot(slack, **keys):
    values = {"token": Redacted(TOKEN), "channel": "#ops", "api_url": slack.api_url, "text": "hello"}
    return Slack.model_validate({**values, **keys})


def failure(step, run):
    with pytest.raises(StepFailed) as caught:
        run_step(step, run)
    return caught.value


def test_a_webhook_gets_the_text_as_json(tmp_path):
    with slack_endpoint() as slack:
        output = run_step(to_webhook(slack.webhook, text="*done*"), step_run(tmp_path))
    (request,) = slack.requests
    assert (request.method, request.path, request.json()) == ("POST", WEBHOOK_PATH, {"text": "*done*"})
    assert request.headers["content-type"] == "application/json; charset=utf-8"
    assert "authorization" not in request.headers
    assert (output.ts, output.path) == ("", "")


def test_a_bot_posts_to_its_channel_and_returns_the_timestamp(tmp_path):
    with slack_endpoint(Reply.json({"ok": True, "ts": "1700000000.000100"})) as slack:
        output = run_step(as_bot(slack, blocks=[section("grüße")]), step_run(tmp_path))
    (request,) = slack.requests
    assert request.path == "/api/chat.postMessage"
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.json() == {"channel": "#ops", "text": "hello", "blocks": [section("grüße")]}
    assert output.ts == "1700000000.000100"


def test_line_ends_around_a_secret_do_not_matter(tmp_path):
    with slack_endpoint(Reply.json({"ok": True})) as slack:
        run_step(to_webhook(slack.webhook + "\n"), step_run(tmp_path))
        run_step(as_bot(slack, token=Redacted(TOKEN + "\n")), step_run(tmp_path))
    assert slack.requests[0].path == WEBHOOK_PATH
    assert slack.requests[1].headers["authorization"] == f"Bearer {TOKEN}"


def test_x08_a_429_is_answered_by_one_more_post_after_the_time_it_asks_for(tmp_path):
    log = ListLog()
    with slack_endpoint(Reply(429, b"", {"Retry-After": "2"}), Reply()) as slack:
        run_step(to_webhook(slack.webhook), step_run(tmp_path, log=log))
    first, second = slack.requests
    assert 2.0 <= second.at - first.at <= 2 + LEEWAY
    assert first.body == second.body
    assert "the Slack webhook answered 429 with Retry-After `2`; trying again in 2" in log.lines[0]


def http_date(seconds):
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("retry_after", "posts"),
    [
        pytest.param("86400", 1, id="a-day"),
        pytest.param("9" * 400, 2, id="absurd"),
        pytest.param("-1", 2, id="negative"),
        pytest.param(http_date(3600), 1, id="date"),
        pytest.param(http_date(-3600), 2, id="past-date"),
        pytest.param("Wed, 99 Foo 99999 99:99:99 GMT", 2, id="bad-date"),
        pytest.param("soon`", 2, id="junk"),
    ],
)
def test_x09_retry_after_never_outlasts_the_deadline(tmp_path, retry_after, posts):
    started = time.monotonic()
    with slack_endpoint(Reply(429, b"", {"Retry-After": retry_after})) as slack:
        error = failure(to_webhook(slack.webhook, request_timeout=1), step_run(tmp_path))
    assert time.monotonic() - started < 1 + LEEWAY
    assert 1 <= len(slack.requests) <= posts
    assert f"429 with Retry-After `{retry_after[:40].rstrip('`')}" in error.message
    assert "does not fit into `request_timeout` (1s)" in error.message
    assert not error.permanent


def test_x09_a_date_is_waited_for(tmp_path):
    with slack_endpoint(Reply(429, b"", {"Retry-After": http_date(2)}), Reply()) as slack:
        run_step(to_webhook(slack.webhook), step_run(tmp_path))
    first, second = slack.requests
    # The header counts whole seconds, so up to one of the two is lost.
    assert 1.0 <= second.at - first.at <= 2 + LEEWAY


def test_x10_a_500_is_tried_again(tmp_path):
    with slack_endpoint(Reply(500, b"rollup_error"), Reply()) as slack:
        run_step(to_webhook(slack.webhook), step_run(tmp_path))
    assert len(slack.requests) == 2


def test_x10_a_500_for_ever_ends_after_the_retries(tmp_path):
    with slack_endpoint(Reply(503, b"", per_byte=1)) as slack:
        error = failure(to_webhook(slack.webhook), step_run(tmp_path))
    assert len(slack.requests) == 4
    assert error.message == "the Slack webhook answered 503; gave up after 4 attempts"


def test_x10_a_body_behind_a_500_is_not_waited_for(tmp_path):
    with slack_endpoint(Reply(500, b"x" * 60, per_byte=1), Reply()) as slack:
        run_step(to_webhook(slack.webhook), step_run(tmp_path))
    first, second = slack.requests
    assert second.at - first.at < LEEWAY


@pytest.mark.parametrize(
    ("reply", "within", "trouble"),
    [
        pytest.param(Reply(hang_up=True), 1, "closed the connection", id="close"),
        pytest.param(Reply(after=30), 1, "did not answer within `request_timeout`", id="30-s-slow"),
        pytest.param(Reply(body=b"x" * 60, per_byte=1), 1, "did not answer within", id="1-byte-per-second"),
        pytest.param(Reply(headers={"Content-Length": "9"}), 1, "", id="body-shorter-than-said"),
        pytest.param(Reply(body=b"x" * 50_000, times=1024), 60, "more than 8 MiB", id="50-mb"),
    ],
)
def test_x10_an_unclear_end_is_not_tried_again(tmp_path, reply, within, trouble):
    started = time.monotonic()
    with slack_endpoint(reply) as slack:
        error = failure(to_webhook(slack.webhook, request_timeout=within), step_run(tmp_path))
        assert time.monotonic() - started < within + LEEWAY
        assert len(slack.requests) == 1
    assert slack.sent < 20_000_000
    assert trouble in error.message
    assert "not sent again, for it may have been posted" in error.message
    assert not error.permanent


def test_a_refused_connection_is_tried_again_until_the_deadline(tmp_path):
    log = ListLog()
    with slack_endpoint() as slack:
        address = slack.webhook
    error = failure(to_webhook(address, request_timeout=2), step_run(tmp_path, log=log))
    assert error.message.startswith("no connection to the Slack webhook: ")
    assert "trying again in" in log.lines[0]


def test_a_host_that_lets_nobody_in_is_told_from_one_that_does_not_answer(tmp_path):
    with closing(socket.create_server(("127.0.0.1", 0), backlog=0)) as full, ExitStack() as waiting:
        address = full.getsockname()
        for _ in range(3):  # more than the queue holds, so that the next one is left standing
            client = waiting.enter_context(closing(socket.socket()))
            client.setblocking(False)
            client.connect_ex(address)
        step = to_webhook(f"http://127.0.0.1:{address[1]}/x", request_timeout=1)
        error = failure(step, step_run(tmp_path))
    assert "no connection to the Slack webhook: timed out" in error.message


@pytest.mark.parametrize(
    ("reply", "permanent", "message"),
    [
        pytest.param(Reply(400, b"invalid_payload"), True, "answered 400 `invalid_payload`", id="400"),
        pytest.param(Reply(403, b"action_prohibited"), True, "does not allow this app", id="403"),
        pytest.param(Reply(404, b"no_service"), True, "removed: make a new one", id="404"),
        pytest.param(Reply(410, b"channel_is_archived"), True, "`channel_is_archived`", id="410"),
        pytest.param(Reply(404, b"x" * 60, per_byte=1), True, "answered 404", id="404-dripping"),
        pytest.param(Reply(200, b"<html>Sign in</html>"), False, "not in the way Slack does", id="html"),
        pytest.param(Reply(200, b""), False, "not in the way Slack does", id="200-empty"),
        pytest.param(Reply(200, b"[" * 99_999), False, "not in the way Slack does", id="200-hostile-json"),
        pytest.param(Reply(204, b""), False, "not in the way Slack does", id="204"),
        pytest.param(Reply.json({"ok": False, "error": "no_text"}), True, "`no_text`", id="ok-false"),
        pytest.param(Reply.json({"ok": False, "error": {}}), False, "not in the way", id="ok-false-odd"),
    ],
)
def test_x11_a_refused_message_fails_the_step(tmp_path, reply, permanent, message):
    with slack_endpoint(reply) as slack:
        error = failure(to_webhook(slack.webhook, request_timeout=1), step_run(tmp_path))
        assert len(slack.requests) == 1
    assert message in error.message
    assert error.permanent is permanent


@pytest.mark.parametrize(
    ("word", "permanent"),
    [
        pytest.param("channel_not_found", True, id="channel"),
        pytest.param("invalid_auth", True, id="token"),
        pytest.param("internal_error", False, id="perhaps-posted"),
    ],
)
def test_x11_an_error_word_of_the_api_fails_the_step(tmp_path, word, permanent):
    with slack_endpoint(Reply.json({"ok": False, "error": word})) as slack:
        error = failure(as_bot(slack), step_run(tmp_path))
        assert len(slack.requests) == 1
    assert f"Slack's API answered 200 `{word}`" in error.message
    assert error.permanent is permanent


def test_x11_the_api_does_not_answer_with_a_plain_ok(tmp_path):
    with slack_endpoint(Reply()) as slack:
        assert "not in the way Slack does" in failure(as_bot(slack), step_run(tmp_path)).message


@pytest.mark.parametrize("word", ["ratelimited", "rate_limited", "service_unavailable"])
def test_an_error_word_that_means_later_is_tried_again(tmp_path, word):
    replies = Reply.json({"ok": False, "error": word}), Reply.json({"ok": True, "ts": "1.2"})
    with slack_endpoint(*replies) as slack:
        assert run_step(as_bot(slack), step_run(tmp_path)).ts == "1.2"
    assert len(slack.requests) == 2


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Reply(after=30), id="while-waiting-for-the-answer"),
        pytest.param(Reply(429, b"", {"Retry-After": "20"}), id="while-pausing"),
        pytest.param(Reply(body=b"x" * 60, per_byte=1), id="while-reading"),
    ],
)
def test_the_timeout_of_the_step_ends_it_at_once(tmp_path, reply):
    started = time.monotonic()
    with slack_endpoint(reply) as slack:
        with pytest.raises(StepTimedOut):
            run_step(to_webhook(slack.webhook), step_run(tmp_path), timeout=0.5)
        assert time.monotonic() - started < 1 + LEEWAY
        assert len(slack.requests) == 1


def test_a_cancelled_step_says_why(tmp_path):
    cancellation = Cancellation()
    threading.Timer(0.3, cancellation.cancel, ["the run was cancelled"]).start()
    with slack_endpoint(Reply(after=30)) as slack:
        step = to_webhook(slack.webhook)
        with pytest.raises(StepCancelled, match="the run was cancelled"):
            step.execute(step_run(tmp_path, cancellation=cancellation))


def test_i16_a_redirect_is_not_followed(tmp_path):
    with slack_endpoint() as other, slack_endpoint(Reply(302, b"", {"Location": other.webhook})) as slack:
        error = failure(to_webhook(slack.webhook), step_run(tmp_path))
    assert (len(slack.requests), len(other.requests)) == (1, 0)
    assert "answered 302, a redirect, which is not followed" in error.message
    assert error.permanent


@pytest.mark.parametrize(
    ("address", "message"),
    [
        pytest.param("http://hooks.slack.example/services/CANARY", "must use https", id="plain-http"),
        pytest.param("http://127.0.0.1.nip.example/CANARY", "must use https", id="looks-like-loopback"),
        pytest.param("http://127.0.0.1@evil.example/CANARY", "is no https URL", id="user-name"),
        pytest.param("http://localhost\\@evil.example/CANARY", "is no https URL", id="backslash"),
        pytest.param("https://evil.example\t/CANARY", "is no https URL", id="tab"),
        pytest.param("https://x.example:99999/CANARY", "is no https URL", id="port"),
        pytest.param("file:///etc/CANARY", "is no https URL", id="file"),
        pytest.param("CANARY", "is no https URL", id="no-url"),
        pytest.param("", "is no https URL", id="empty"),
    ],
)
def test_an_address_that_is_not_https_is_refused_unseen(tmp_path, address, message):
    error = failure(to_webhook(address), step_run(tmp_path))
    assert message in error.message
    assert "CANARY" not in str(error)
    assert error.permanent


def test_a_token_with_a_line_break_never_reaches_a_header(tmp_path):
    with slack_endpoint() as slack:
        error = failure(as_bot(slack, token=Redacted(f"{TOKEN}\r\nX: y")), step_run(tmp_path))
        assert not slack.requests
    assert "is no token" in error.message
    assert "CANARY" not in error.message


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return self_signed(tmp_path_factory.mktemp("tls"))


def test_a_certificate_that_nobody_signed_is_refused(tmp_path, certificate):
    with slack_endpoint(tls=server_context(certificate)) as slack:
        error = failure(to_webhook(slack.webhook, request_timeout=1), step_run(tmp_path))
        assert not slack.requests
    assert "CERTIFICATE_VERIFY_FAILED" in error.message


def test_https_with_a_certificate_of_ones_own_authority(tmp_path, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with slack_endpoint(tls=server_context(certificate)) as slack:
        run_step(to_webhook(slack.webhook), step_run(tmp_path))
    assert slack.requests[0].json() == {"text": "hello"}


def test_a_missing_certificate_file_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "absent.pem"))
    error = failure(to_webhook("https://127.0.0.1:1/x", request_timeout=1), step_run(tmp_path))
    assert "what HTTPS_PROXY or SSL_CERT_FILE names, cannot be used" in error.message


@pytest.mark.parametrize("scheme", ["http://", ""])
def test_a_proxy_is_asked_for_a_tunnel_and_sees_no_path(tmp_path, monkeypatch, scheme):
    for name in [name for name in os.environ if name.lower() in {"no_proxy", "https_proxy"}]:
        monkeypatch.delenv(name)
    with slack_endpoint(Reply(403, b"")) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", scheme + proxy.base.removeprefix("http://"))
        step = to_webhook("https://hooks.slack.example/CANARY", request_timeout=1)
        error = failure(step, step_run(tmp_path))
    assert "no connection to the Slack webhook: 403" in error.message
    assert {(request.method, request.path) for request in proxy.requests} == {("CONNECT", "hooks.slack.example:443")}


def everything_said(error, log, records):
    """The error with all that hangs on it, the variables of the step's own frames, and every log line."""
    said = [*log.lines, *(f"{record.getMessage()} {record.__dict__}" for record in records)]
    link = error
    while link is not None:
        said += [str(link), repr(link), repr(vars(link)), *traceback.format_exception(link)]
        said += [
            repr(frame.f_locals)
            for frame, _ in traceback.walk_tb(link.__traceback__)
            if "flowmill_tasks" in frame.f_code.co_filename
        ]
        link = link.__cause__ or link.__context__
    return "\n".join(said)


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(Reply(404, f"<html>{WEBHOOK_PATH} not found</html>".encode()), id="echoed-by-404"),
        pytest.param(Reply(200, f"<html>{WEBHOOK_PATH}</html>".encode()), id="echoed-by-200"),
        pytest.param(Reply.json({"ok": False, "error": WEBHOOK_PATH}), id="echoed-as-error"),
        pytest.param(Reply(500), id="500"),
        pytest.param(Reply(302, b"", {"Location": "https://x.example/"}), id="302"),
        pytest.param(Reply(hang_up=True), id="hang-up"),
        pytest.param(Reply(after=30), id="timeout"),
        pytest.param(Reply(), id="success"),
        pytest.param(None, id="refused"),
    ],
)
def test_i15_the_address_is_nowhere_to_be_read(tmp_path, caplog, reply):
    caplog.set_level(logging.DEBUG)
    log = ListLog()
    with slack_endpoint(reply or Reply()) as slack:
        step = to_webhook(slack.webhook, request_timeout=1)
        if reply is None:
            slack.server.server_close()
        try:
            run_step(step, step_run(tmp_path, log=log))
            said = everything_said(None, log, caplog.records)
        except StepFailed as error:
            said = everything_said(error, log, caplog.records)
    assert said
    assert "CANARY" not in said


def test_i15_the_token_is_nowhere_to_be_read(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    with slack_endpoint(Reply.json({"ok": False, "error": TOKEN})) as slack:
        step = as_bot(slack)
        assert "CANARY" not in repr(step)
        error = failure(step, step_run(tmp_path))
    assert "CANARY" not in everything_said(error, ListLog(), caplog.records)
