"""The step `email` against real mail servers: what they are sent, and what becomes of their faults."""

from email.utils import getaddresses
from pathlib import Path
from typing import Any

import pytest

from flowmill_tasks.base import StepFailed
from flowmill_tasks.email import Email, EmailOutput
from flowmill_tasks.fields import Rendered
from support.certificate import Certificate, make_certificate
from support.smtp import hang_up, mail_server, scripted_server
from support.steps import ListLog, run_step, step_run

PASSWORD = "canary-Pa55word"
LOGIN = {"username": "bob", "password": Rendered(PASSWORD)}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


def email(smtp: Any, **changes: Any) -> Email:
    values = {"to": ["a@example.org"], "from": "flows@example.org", "subject": "hi", "text": "hello"}
    return Email.model_validate({**values, "smtp": smtp, **changes})


def send(step: Email, directory: Path, **changes: Any) -> EmailOutput:
    output = run_step(step, step_run(directory, **changes))
    assert isinstance(output, EmailOutput)
    return output


def failure(step: Email, directory: Path, **changes: Any) -> StepFailed:
    with pytest.raises(StepFailed) as caught:
        send(step, directory, **changes)
    assert PASSWORD not in repr(caught.value) + str(caught.value.__cause__)
    return caught.value


def test_a_mail_reaches_everybody_once_with_its_headers_and_body(tmp_path: Path):
    with mail_server() as server:
        step = email(
            server.settings(),
            to="a@example.org, b@example.org",
            cc=["Chef <c@example.org>", "a@example.org"],
            reply_to="help@example.org",
            subject="Größe: 3 Fahrräder",
            text="Zeile mit ü\n.\n..zwei\nfin",
        )
        log = ListLog()
        output = send(step, tmp_path, log=log)
    (mail,) = server.received
    assert (mail.sender, mail.recipients) == (
        "flows@example.org",
        ["a@example.org", "b@example.org", "c@example.org"],
    )
    message = mail.message
    assert message["Subject"] == "Größe: 3 Fahrräder"
    assert message["Cc"] == "Chef <c@example.org>, a@example.org"
    assert message["Reply-To"] == "help@example.org"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Flowmill-Environment"] == "staging"
    assert message["Message-ID"] == output.message_id
    assert message.get_content().splitlines() == ["Zeile mit ü", ".", "..zwei", "fin"]
    assert output.refused == []
    assert log.lines == [f"`127.0.0.1:{server.port}` took the mail for 3 of 3 recipients"]


def test_the_message_id_is_the_same_for_every_attempt_and_another_for_another_run(tmp_path: Path):
    with mail_server() as server:
        ids = [
            send(email(server.settings()), tmp_path, key=key, attempt=attempt).message_id
            for key, attempt in (("run-1.it", 1), ("run-1.it", 2), ("run-2.it", 1))
        ]
    assert ids[0] == ids[1] != ids[2]
    assert [mail.message["Message-ID"] for mail in server.received] == ids


@pytest.mark.parametrize(
    ("to", "recipients"),
    [
        pytest.param("a@x, b@y", ["a@x", "b@y"], id="text with a comma"),
        pytest.param(["Doe Jane <a@x>"], ["a@x"], id="name"),
        pytest.param(['"evil@x, Doe" <a@x>'], ["a@x"], id="address and comma in a quoted name"),
        pytest.param(["Ähre <a@x>", "日本 語 <b@x>"], ["a@x", "b@x"], id="names outside ASCII"),
        pytest.param(["a+b=c'd@x-y.example"], ["a+b=c'd@x-y.example"], id="odd but plain"),
        pytest.param(["=?utf-8?q?b=40evil?= <a@x>"], ["a@x"], id="encoded word"),
    ],
)
def test_i10_recipients_are_exactly_the_ones_listed(to: Any, recipients: list[str], tmp_path: Path):
    with mail_server() as server:
        send(email(server.settings(), to=to), tmp_path)
    (mail,) = server.received
    assert mail.recipients == recipients
    assert [address for _, address in getaddresses([str(mail.message["To"])])] == recipients


def test_i11_a_blind_recipient_is_served_and_not_named(tmp_path: Path):
    with mail_server() as server:
        send(email(server.settings(), bcc=["hidden@example.org"]), tmp_path)
        send(email(server.settings(), to=[], bcc=["hidden@example.org"]), tmp_path)
    first, second = server.received
    assert (first.recipients, second.recipients) == (
        ["a@example.org", "hidden@example.org"],
        ["hidden@example.org"],
    )
    assert b"hidden" not in first.data + second.data
    assert second.message["To"] == "undisclosed-recipients:;"


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_login_is_made_over_a_verified_connection(security: str, certificate: Certificate, tmp_path: Path):
    with mail_server(security, certificate, password=PASSWORD) as server:
        smtp = server.settings(security=security, ca_file="certificate.pem", **LOGIN)
        send(email(smtp), certificate.file.parent)
    assert server.logins == [("bob", PASSWORD)]
    assert server.encrypted == [True]


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize(
    ("address", "days", "trusted", "complaint"),
    [
        pytest.param("127.0.0.1", 1, False, "self-signed certificate", id="nobody vouches"),
        pytest.param("127.0.0.2", 1, True, "IP address mismatch", id="another host"),
        pytest.param("127.0.0.1", -1, True, "certificate has expired", id="expired"),
    ],
)
def test_i13_a_wrong_certificate_fails_the_step_before_any_login(
    security: str, address: str, days: int, trusted: bool, complaint: str, tmp_path: Path
):
    wrong = make_certificate(tmp_path, address, days)
    with mail_server(security, wrong, password=PASSWORD) as server:
        smtp = server.settings(security=security, **LOGIN, **({"ca_file": wrong.file.name} if trusted else {}))
        failed = failure(email(smtp), tmp_path)
    assert f"the certificate of `127.0.0.1:{server.port}` is not valid: {complaint}" in failed.message
    assert failed.permanent
    assert (server.logins, server.received) == ([], [])


def test_i13_without_starttls_nothing_is_sent(tmp_path: Path):
    with scripted_server(EHLO=b"250-hello\r\n250 AUTH PLAIN\r\n") as server:
        failed = failure(email(server.settings(security="starttls", **LOGIN)), tmp_path)
    assert "offers no STARTTLS" in failed.message
    assert failed.permanent
    assert [command.split()[0] for command in server.commands] == ["ehlo", "QUIT"]


def test_i13_what_is_said_before_tls_does_not_count_after_it(certificate: Certificate, tmp_path: Path):
    """A man in the middle may add replies to the one to STARTTLS, in the clear (CVE-2011-0411)."""
    with scripted_server(EHLO=b"250-hello\r\n250 STARTTLS\r\n", STARTTLS=b"220 go\r\n250 AUTH PLAIN\r\n") as server:
        failed = failure(email(server.settings(security="starttls", timeout=1, **LOGIN)), tmp_path)
    assert "while starting TLS" in failed.message
    assert [command.split()[0] for command in server.commands[:2]] == ["ehlo", "STARTTLS"]
    assert not any("AUTH" in command for command in server.commands)


def test_a_refused_login_is_permanent_and_tells_only_the_codes(tmp_path: Path):
    """The server repeats the password, raw and encoded."""
    said = f"535 5.7.8 no {PASSWORD} for bob AGJvYgBjYW5hcnktUGE1NXdvcmQ=\r\n".encode()
    with scripted_server(EHLO=b"250-hello\r\n250 AUTH PLAIN\r\n", AUTH=said) as server:
        failed = failure(email(server.settings(**LOGIN)), tmp_path)
    assert failed.message == (
        f"the server `127.0.0.1:{server.port}` refused the login (535 5.7.8); look at `username` and `password`"
    )
    assert failed.permanent
    assert failed.__cause__ is None
    assert server.commands[1] == "AUTH PLAIN AGJvYgBjYW5hcnktUGE1NXdvcmQ="


@pytest.mark.parametrize(
    ("offer", "login", "message"),
    [
        pytest.param(b"", LOGIN, "it offers no login by password", id="not offered"),
        pytest.param(b"AUTH XOAUTH2", LOGIN, "it offers no login by password", id="other kind"),
        pytest.param(b"AUTH CRAM-MD5", LOGIN, "its challenge cannot be read", id="bad challenge"),
        pytest.param(
            b"AUTH PLAIN",
            {"username": "bob", "password": Rendered("pässword")},
            "the user name and the password must be ASCII",
            id="not ascii",
        ),
    ],
)
def test_a_login_that_cannot_be_made_fails_the_step(offer: bytes, login: dict[str, Any], message: str, tmp_path: Path):
    with scripted_server(EHLO=b"250-hello\r\n250 " + offer + b"\r\n", AUTH=b"334 abcde\r\n") as server:
        failed = failure(email(server.settings(**login)), tmp_path)
    assert failed.message == f"no login at the server `127.0.0.1:{server.port}`: {message}"
    assert failed.permanent


def test_a_connection_that_breaks_during_the_login_is_worth_a_retry(tmp_path: Path):
    with scripted_server(EHLO=b"250-hello\r\n250 AUTH PLAIN\r\n", AUTH=hang_up) as server:
        failed = failure(email(server.settings(**LOGIN)), tmp_path)
    assert "(while logging in)" in failed.message
    assert not failed.permanent


def test_x05_a_refused_recipient_fails_the_step_for_good_and_the_others_have_the_mail(tmp_path: Path):
    with mail_server(refused={"b@example.org": "550 5.1.1 no such user"}) as server:
        step = email(server.settings(), to="a@example.org, b@example.org, c@example.org")
        failed = failure(step, tmp_path)
    assert failed.message.endswith(
        "took the mail for 2 of 3 recipients and refused `b@example.org` (550 5.1.1 no such user)"
    )
    assert failed.permanent
    assert [mail.recipients for mail in server.received] == [["a@example.org", "c@example.org"]]


def test_x05_a_refused_recipient_is_a_warning_where_that_is_allowed(tmp_path: Path):
    with mail_server(refused={"b@example.org": "450 later"}) as server:
        log = ListLog()
        step = email(server.settings(), to="a@example.org, b@example.org", allow_refused=True)
        output = send(step, tmp_path, log=log)
    assert output.refused == ["b@example.org"]
    assert log.lines[0].endswith("took the mail for 1 of 2 recipients and refused `b@example.org` (450 later)")


@pytest.mark.parametrize(
    ("behaviour", "permanent"),
    [
        pytest.param({"refused": {"a@example.org": "451 4.7.1 greylisted"}}, False, id="451 at RCPT"),
        pytest.param({"refused": {"a@example.org": "550 5.1.1 unknown"}}, True, id="550 at RCPT"),
        pytest.param({"answers": ["451 4.3.0 later"]}, False, id="451 at the end"),
        pytest.param({"answers": ["554 5.6.0 spam"]}, True, id="554 at the end"),
    ],
)
@pytest.mark.parametrize("allow_refused", [False, True], ids=["strict", "lenient"])
def test_x06_a_temporary_refusal_is_worth_a_retry_and_a_final_one_is_not(
    behaviour: dict[str, Any], permanent: bool, allow_refused: bool, tmp_path: Path
):
    with mail_server(**behaviour) as server:
        step = email(server.settings(), allow_refused=allow_refused)
        failed = failure(step, tmp_path)
        assert failed.permanent is permanent
        assert failed.message.startswith(f"no mail sent: the server `127.0.0.1:{server.port}` refused")
        assert server.received == []
        server.refused = {}
        send(step, tmp_path, attempt=2)
    assert len(server.received) == 1


def test_x07_a_mail_above_the_servers_limit_is_not_begun(tmp_path: Path):
    (tmp_path / "report.bin").write_bytes(bytes(60_000))
    with mail_server(size=50_000) as server:
        failed = failure(email(server.settings(), attachments=["report.bin"]), tmp_path)
        assert "takes at most 50,000" in failed.message
        assert failed.permanent
        send(email(server.settings()), tmp_path)
    assert len(server.received) == 1


@pytest.mark.parametrize(
    ("attachment", "complaint"),
    [
        pytest.param("missing.csv", "attachment `missing.csv` is not there", id="missing"),
        pytest.param("folder", "attachment `folder` is not a file", id="folder"),
        pytest.param("../outside.csv", "leads out of the project's folder", id="outside"),
        pytest.param("link.csv", "leads out of the project's folder through a link", id="link"),
        pytest.param("large.bin", "would have 40.0 MiB with its attachments; at most 25 MiB", id="30 MB"),
    ],
)
def test_x07_a_bad_attachment_fails_the_step_before_it_connects(attachment: str, complaint: str, tmp_path: Path):
    project = tmp_path / "project"
    (project / "folder").mkdir(parents=True)
    (tmp_path / "outside.csv").write_text("x")
    (project / "link.csv").symlink_to(tmp_path / "outside.csv")
    with (project / "large.bin").open("wb") as file:
        file.truncate(30 * 1024**2)
    with scripted_server() as server:
        failed = failure(email(server.settings(), attachments=[attachment]), project)
    assert complaint in failed.message
    assert failed.permanent
    assert server.commands == []


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        pytest.param(None, "`ca.pem` is not there", id="missing"),
        pytest.param("no certificate", "cannot be used: there is no certificate in it", id="no certificate"),
    ],
)
def test_a_bad_ca_file_fails_the_step_before_it_connects(content: str | None, complaint: str, tmp_path: Path):
    if content is not None:
        (tmp_path / "ca.pem").write_text(content)
    with scripted_server() as server:
        failed = failure(email(server.settings(security="starttls", ca_file="ca.pem")), tmp_path)
    assert complaint in failed.message
    assert failed.permanent
    assert server.commands == []


def test_an_old_server_that_knows_only_helo_is_served(tmp_path: Path):
    with scripted_server(EHLO=b"502 what?\r\n", HELO=b"250 hello\r\n") as server:
        send(email(server.settings()), tmp_path)
    assert [command.split()[0] for command in server.commands] == [
        "ehlo",
        "helo",
        "MAIL",
        "RCPT",
        "DATA",
        "QUIT",
    ]
    assert server.commands[2:4] == ["MAIL FROM:<flows@example.org>", "RCPT TO:<a@example.org>"]
