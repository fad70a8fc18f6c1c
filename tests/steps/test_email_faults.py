"""The step `email` and broken or hostile servers: it ends in time, and knows what it does not know."""

import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from flowmill_tasks.base import StepFailed, StepTimedOut
from flowmill_tasks.email import Email
from support.smtp import (
    Answer,
    ScriptedServer,
    closed_port,
    drip,
    endless,
    full_port,
    half_close,
    hang_up,
    reset,
    scripted_server,
    silence,
)
from support.steps import run_step, step_run
from support.waiting import LEEWAY


def email(smtp: Any, **changes: Any) -> Email:
    values = {"to": ["a@example.org"], "from": "flows@example.org", "subject": "hi", "text": "hello"}
    return Email.model_validate({**values, "smtp": smtp, **changes})


def failure(step: Email, directory: Path, **changes: Any) -> StepFailed:
    with pytest.raises(StepFailed) as caught:
        run_step(step, step_run(directory, **changes))
    return caught.value


@pytest.mark.parametrize(
    ("answers", "complaint"),
    [
        pytest.param({"connect": silence}, "1s (while waiting for the greeting)", id="blackhole"),
        pytest.param({"connect": b"421 busy\r\n"}, "refused the connection: 421 busy", id="421"),
        pytest.param({"connect": reset}, "Connection reset by peer", id="RST"),
        pytest.param({"connect": half_close}, "Connection unexpectedly closed", id="half-close"),
        pytest.param({"EHLO": hang_up}, "(while introducing itself)", id="hang up at EHLO"),
        pytest.param({"MAIL": half_close}, "(while naming the sender)", id="half-close at MAIL"),
        pytest.param({"RCPT": reset}, "(while naming the recipients)", id="RST at RCPT"),
        pytest.param({"DATA": hang_up}, "(while sending the message)", id="hang up at DATA"),
        pytest.param({"connect": b"what?\r\n"}, "no reply code", id="no SMTP"),
        pytest.param({"connect": b"220 " + b"x" * 10000}, "Line too long", id="endless line"),
    ],
)
def test_x01_a_broken_server_fails_the_step_in_time(answers: dict[str, Answer], complaint: str, tmp_path: Path):
    with scripted_server(**answers) as server:
        begin = time.monotonic()
        failed = failure(email(server.settings(timeout=1)), tmp_path)
        assert time.monotonic() - begin < 1 + LEEWAY
    assert complaint in failed.message
    assert not failed.permanent
    assert server.messages == []


def test_x01_a_port_that_refuses_or_ignores_fails_the_step_in_time(tmp_path: Path):
    smtp = {"host": "127.0.0.1", "security": "none", "timeout": 1}
    refused = failure(email({**smtp, "port": closed_port()}), tmp_path)
    assert "Connection refused (while connecting)" in refused.message
    with full_port() as port:
        begin = time.monotonic()
        ignored = failure(email({**smtp, "port": port}), tmp_path)
        assert time.monotonic() - begin < 1 + LEEWAY
    assert "not done within 1s (while connecting)" in ignored.message
    assert not refused.permanent
    assert not ignored.permanent


@pytest.mark.parametrize(
    ("answers", "security", "timeout", "doing"),
    [
        pytest.param({"connect": drip(b"220 " + b"x" * 60, 0.9)}, "none", 2, "waiting for the greeting", id="greeting"),
        pytest.param({"EHLO": drip(b"250-" + b"x" * 60, 0.3)}, "none", 1, "introducing itself", id="EHLO"),
        pytest.param(
            {"connect": drip(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc\x03\x03" + b"x" * 60, 0.3)},
            *("tls", 1, "starting TLS"),
            id="TLS",
        ),
    ],
)
def test_x02_a_dripping_server_cannot_stretch_the_deadline(
    answers: dict[str, Answer], security: str, timeout: int, doing: str, tmp_path: Path
):
    with scripted_server(**answers) as server:
        begin = time.monotonic()
        failed = failure(email(server.settings(security=security, timeout=timeout)), tmp_path)
        assert timeout <= time.monotonic() - begin < timeout + LEEWAY
    assert f"not done within {timeout}s (while {doing})" in failed.message


@pytest.mark.parametrize("line", [b"220-\r\n", b"220-" + b"x" * 1000 + b"\r\n"], ids=["short lines", "long lines"])
def test_x03_an_endless_greeting_costs_neither_time_nor_memory(line: bytes, tmp_path: Path):
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before = _resident_memory()
    with scripted_server(connect=endless(line)) as server:
        begin = time.monotonic()
        failed = failure(email(server.settings(timeout=5)), tmp_path)
        assert time.monotonic() - begin < 5 + LEEWAY
    assert _resident_memory() - before < 50 * 1024
    assert "the server said more than 256 KiB" in failed.message


def _resident_memory() -> int:
    """The peak so far, in KiB."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(hang_up, id="hang up"),
        pytest.param(reset, id="RST"),
        pytest.param(silence, id="silence"),
        pytest.param(drip(b"250-" + b"x" * 60, 0.3), id="drip"),
        pytest.param(b"what?\r\n", id="no reply code"),
    ],
)
def test_x04_a_mail_of_unknown_fate_is_not_sent_again_unless_asked(answer: Answer, tmp_path: Path):
    with scripted_server(end_of_message=answer) as server:
        smtp = server.settings(timeout=1)
        failed = failure(email(smtp), tmp_path)
        resent = failure(email(smtp, resend_if_unsure=True), tmp_path, attempt=2)
    assert failed.message.startswith(f"the mail may have been sent: `127.0.0.1:{server.port}` got all of it")
    assert (failed.permanent, resent.permanent) == (True, False)
    ids = [line for mail in server.messages for line in mail.splitlines() if line.startswith(b"Message-ID:")]
    assert len(ids) == 2
    assert ids[0] == ids[1]


def test_x04_a_mail_that_breaks_off_in_the_middle_was_surely_not_sent(tmp_path: Path):
    (tmp_path / "large.bin").write_bytes(bytes(12 * 1024**2))  # more than the sockets hold
    with scripted_server(DATA=_break_off_in_the_middle) as server:
        failed = failure(email(server.settings(), attachments="large.bin"), tmp_path)
    assert failed.message.startswith("no mail sent")
    assert not failed.permanent


def _break_off_in_the_middle(server: ScriptedServer, client: Any) -> None:
    client.sendall(b"354 go on\r\n")
    client.recv(1000)
    reset(server, client)


@pytest.mark.parametrize("stage", ["connecting", "greeting", "after the message"])
def test_a_step_that_is_stopped_lets_go_of_its_connection_at_once(stage: str, tmp_path: Path):
    with ExitStack() as stack:
        answers = {"greeting": {"connect": silence}, "after the message": {"end_of_message": silence}}
        if stage == "connecting":
            smtp = {"host": "127.0.0.1", "security": "none", "port": stack.enter_context(full_port())}
        else:
            smtp = stack.enter_context(scripted_server(**answers[stage])).settings(timeout=60)
        begin = time.monotonic()
        with pytest.raises(StepTimedOut):
            run_step(email(smtp), step_run(tmp_path), timeout=0.5)
        assert time.monotonic() - begin < LEEWAY


@pytest.mark.parametrize("host", ["mail.invalid", "mail..example.org"])
def test_a_host_without_an_address_is_told_as_such(host: str, tmp_path: Path):
    failed = failure(email({"host": host, "timeout": 5}), tmp_path)
    assert failed.message.startswith(f"no mail sent through `{host}:587`: the host was not found (")
    assert not failed.permanent


def test_a_server_that_hangs_after_taking_the_mail_has_taken_it(tmp_path: Path):
    with scripted_server(QUIT=silence) as server:
        begin = time.monotonic()
        run_step(email(server.settings(timeout=1)), step_run(tmp_path))
        assert time.monotonic() - begin < 1 + LEEWAY
    assert len(server.messages) == 1
