"""The step `email` without a server: what its keys accept, the message it writes, the outbox, the preview."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from flowmill_tasks._email_addresses import AddressProblem, Mailbox, parse_mailbox
from flowmill_tasks.email import Email
from flowmill_tasks.fields import Plain, Rendered, Unrendered
from support.steps import step_run

SMTP = {"host": "mail.example.org"}
LINE = "must be one line without control characters"
ONE_ADDRESS = "expected one address: `name@example.org` or `Name <name@example.org>`"


def email(**changes: Any) -> Email:
    values = {
        "to": ["a@example.org"],
        "from": "flows@example.org",
        "subject": "hi",
        "text": "hello",
        "smtp": SMTP,
    }
    merged = {**values, **changes}
    return Email.model_validate({key: value for key, value in merged.items() if value is not ...})


def complaints(**changes: Any) -> list[tuple[tuple[str | int, ...], str]]:
    with pytest.raises(ValidationError) as caught:
        email(**changes)
    return [(error["loc"], error["msg"]) for error in caught.value.errors()]


@pytest.mark.parametrize(
    ("line_break"),
    [
        pytest.param("\n", id="LF"),
        pytest.param("\r", id="CR"),
        pytest.param("\r\n ", id="folded"),
        pytest.param("\r\n\t", id="folded by a tab"),
        pytest.param("\x85", id="U+0085"),
        pytest.param("\u2028", id="U+2028"),
        pytest.param("\u2029", id="U+2029"),
        pytest.param("\x0b", id="VT"),
        pytest.param("\x00", id="NUL"),
    ],
)
@pytest.mark.parametrize("kind", [str, Plain, Rendered], ids=["quoted", "bare", "rendered"])
@pytest.mark.parametrize("key", ["subject", "from", "to", "cc", "bcc", "reply_to"])
def test_i09_a_line_break_in_a_header_is_refused(key: str, kind: type[str], line_break: str):
    """The model is built from rendered values, too, so this holds at run time: no mail is begun."""
    value = kind(f"x@example.org{line_break}Bcc: evil@example.org")
    ((location, message),) = complaints(**{key: value})
    assert location[0] == key
    assert message == (LINE if line_break != "\x00" else "a NUL character is not allowed here")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        pytest.param(["a@x, evil@x"], ONE_ADDRESS, id="two in one item"),
        pytest.param(["a> SIZE=1 <b"], ONE_ADDRESS, id="parameter"),
        pytest.param(["<a@x> SIZE=1"], ONE_ADDRESS, id="parameter behind"),
        pytest.param(["Team: a@x, b@x;"], ONE_ADDRESS, id="group"),
        pytest.param(["Team:a@x;"], ONE_ADDRESS, id="group of one"),
        pytest.param(["a@x <evil@x>"], ONE_ADDRESS, id="address as a name"),
        pytest.param(["a@x <b@x> <evil@x>"], ONE_ADDRESS, id="two in brackets"),
        pytest.param(["root"], ONE_ADDRESS, id="no domain"),
        pytest.param(["a@"], ONE_ADDRESS, id="empty domain"),
        pytest.param(["@x:a@y"], ONE_ADDRESS, id="source route"),
        pytest.param(['"a b"@x'], ONE_ADDRESS, id="quoted local part"),
        pytest.param(["a@[127.0.0.1]"], ONE_ADDRESS, id="address literal"),
        pytest.param(["a@x(comment)"], ONE_ADDRESS, id="comment"),
        pytest.param(["a..b@x"], ONE_ADDRESS, id="two dots"),
        pytest.param(["a@-x"], ONE_ADDRESS, id="hyphen first"),
        pytest.param(["a@x; b@y"], ONE_ADDRESS, id="semicolon"),
        pytest.param(["a@b@c"], ONE_ADDRESS, id="two at signs"),
        pytest.param([""], "an address must not be empty", id="empty item"),
        pytest.param("", "an address must not be empty", id="empty text"),
        pytest.param("a@x, ", "an address must not be empty", id="comma at the end"),
        pytest.param("Doe, Jane <a@x>", ONE_ADDRESS, id="comma in a bare name"),
        pytest.param(["ä@x"], "an address must be ASCII", id="local part outside ASCII"),
        pytest.param(["a@bücher.example"], "write an international domain as `xn--...`", id="IDN"),
        pytest.param(["a" * 65 + "@x"], "an address has at most 254 characters, 64", id="long local part"),
        pytest.param(["a@" + "x" * 300], "an address has at most 254 characters, 64", id="long domain"),
        pytest.param(["x" * 300 + " <a@x>"], "at most 200 characters", id="long name"),
        pytest.param([["a@x"]], "Input should be a valid string", id="list in a list"),
        pytest.param({"a": "a@x"}, "Input should be a valid list", id="map"),
    ],
)
@pytest.mark.parametrize("key", ["to", "bcc"])
def test_i10_what_is_not_exactly_one_address_is_refused(key: str, value: Any, message: str):
    assert message in complaints(**{key: value})[0][1]


@pytest.mark.parametrize("kind", [Plain, str, Rendered], ids=["bare", "quoted", "rendered"])
def test_a_text_of_several_addresses_is_split_at_its_commas(kind: type[str]):
    assert email(to=kind("a@x.org, Jane <b@x.org>,c@x.org")).to == ["a@x.org", "Jane <b@x.org>", "c@x.org"]


def test_a_text_may_be_one_expression_and_an_item_may_hold_some():
    whole = Unrendered("${{ secrets.report.recipients }}")
    mixed = Unrendered("${{ parameters.who }}@example.org")
    assert email(to=whole, cc=[mixed]).to == whole


@pytest.mark.parametrize(
    "text",
    [
        "${{ parameters.who }}@example.org",
        "a@x, ${{ parameters.who }}",
        "${{ parameters.a }}${{ parameters.b }}",
    ],
)
def test_i10_a_value_inside_a_text_of_addresses_cannot_add_a_recipient(text: str):
    ((location, message),) = complaints(to=Unrendered(text))
    assert location == ("to",)
    assert "must be an item of a list" in message


@pytest.mark.parametrize(
    ("changes", "location", "message"),
    [
        pytest.param({"to": ...}, (), "expected at least one recipient in `to`, `cc` or `bcc`", id="nobody"),
        pytest.param({"to": []}, (), "expected at least one recipient", id="empty list"),
        pytest.param({"text": ...}, (), "expected `text`, `html` or both", id="no body"),
        pytest.param({"from": ...}, (), "expected `from`, or a `sender` in", id="no sender"),
        pytest.param({"from": "a@x, b@x"}, ("from",), ONE_ADDRESS, id="two senders"),
        pytest.param({"smtp": ...}, ("smtp",), "Field required", id="no smtp"),
        pytest.param({"smtp": Rendered("x")}, ("smtp",), "should be a valid dictionary", id="smtp text"),
        pytest.param({"sender": "a@x"}, ("sender",), "Extra inputs are not permitted", id="python's name"),
        pytest.param({"attachments": "/etc/passwd"}, ("attachments", 0), "is absolute", id="absolute path"),
        pytest.param({"attachments": ["a", "~/b"]}, ("attachments", 1), "starts with `~`", id="home"),
    ],
)
def test_a_step_that_cannot_work_is_refused(changes: dict[str, Any], location: tuple[str | int, ...], message: str):
    ((found, complaint),) = complaints(**changes)
    assert found == location
    assert message in complaint


@pytest.mark.parametrize(
    ("smtp", "location", "message"),
    [
        pytest.param({"password": "hunter2", "username": "bob"}, "password", "must come from a secret", id="literal"),
        pytest.param({"password": Plain("hunter2")}, "password", "must come from a secret", id="bare literal"),
        pytest.param({"username": "bob"}, "", "`username` and `password` go together", id="no password"),
        pytest.param({"password": Rendered("x")}, "", "`username` and `password` go together", id="no username"),
        pytest.param(
            {"username": "bob", "password": Rendered("x"), "security": "none"},
            *("", "the password would cross the network for all to read"),
            id="password in the clear",
        ),
        pytest.param({"security": "ssl"}, "security", "Input should be 'starttls', 'tls' or 'none'", id="security"),
        pytest.param({"port": Plain("0")}, "port", "greater than or equal to 1", id="port 0"),
        pytest.param({"port": "587"}, "port", "valid integer", id="quoted port"),
        pytest.param({"timeout": Plain("0s")}, "timeout", "greater than or equal to 1", id="timeout 0"),
        pytest.param({"verify": False}, "verify", "Extra inputs", id="no verification"),
        pytest.param({"smtp_server": "x"}, "smtp_server", "Extra inputs", id="host twice"),
        pytest.param({"host": ""}, "host", "expected the name of a mail server", id="no host"),
        pytest.param({"host": "mail:587"}, "host", "`port` is a key of its own", id="host with port"),
        pytest.param({"ca_file": "/etc/ca.pem"}, "ca_file", "is absolute", id="ca_file outside"),
    ],
)
def test_smtp_settings_that_cannot_work_are_refused(smtp: dict[str, Any], location: str, message: str):
    ((found, complaint),) = complaints(smtp={**SMTP, **smtp})
    assert found == (("smtp", location) if location else ("smtp",))
    assert message in complaint


@pytest.mark.parametrize(
    ("smtp", "address", "security"),
    [
        pytest.param({}, "mail.example.org:587", "starttls", id="defaults"),
        pytest.param({"security": Plain("tls")}, "mail.example.org:465", "tls", id="tls"),
        pytest.param({"port": Plain("465")}, "mail.example.org:465", "tls", id="port of tls"),
        pytest.param({"security": "none"}, "mail.example.org:25", "none", id="none"),
        pytest.param({"port": 2525}, "mail.example.org:2525", "starttls", id="port"),
    ],
)
def test_port_and_security_follow_from_each_other(smtp: dict[str, Any], address: str, security: str):
    settings = email(smtp={**SMTP, **smtp}).smtp
    assert (settings.address, settings.encryption) == (address, security)


@pytest.mark.parametrize(
    ("smtp_type", "security"),
    [("SSL", "tls"), (465, "tls"), (Rendered("STARTTLS"), "starttls"), (587, "starttls")],
)
def test_a_block_of_prefects_collection_fits_as_it_is(smtp_type: Any, security: str, tmp_path: Path):
    block = {
        "smtp_server": Rendered("mail.example.org"),
        "smtp_type": smtp_type,
        "smtp_port": None,
        "username": Rendered("bob"),
        "password": Rendered("secret"),
        "verify": True,
    }
    server = email(smtp=block).smtp.server(tmp_path, tmp_path)
    assert (server.host, server.security, server.username) == ("mail.example.org", security, "bob")
    assert "secret" not in repr(server)


def test_expressions_may_stand_in_every_key_and_survive_the_plan():
    """What a plan stores is bound again when the run starts, with the values in place."""
    keys = ("from", "subject", "html", "attachments", "allow_refused", "resend_if_unsure")
    texts = {key: Unrendered(f"${{{{ vars.{key} }}}}") for key in keys}
    names = ("host", "port", "security", "username", "password", "sender", "timeout", "ca_file")
    smtp = {name: Unrendered(f"${{{{ secrets.mail.{name} }}}}") for name in names}
    step = email(**texts, smtp=smtp)
    plan = step.model_dump(mode="json", by_alias=True, exclude_unset=True, warnings=False)
    assert {key: plan[key] for key in keys} == texts
    assert plan["smtp"] == smtp
    assert email(smtp=Unrendered("${{ secrets.mail }}")).smtp == "${{ secrets.mail }}"


def test_only_html_is_escaped_and_only_smtp_is_for_delivery():
    escaper = Email.escaper("html", {})
    assert escaper is not None
    assert escaper("<b> & co.") == "&lt;b&gt; &amp; co."
    assert [Email.escaper(key, {}) for key in ("text", "subject", "to")] == [None, None, None]
    assert Email.delivery_fields == {"smtp"}


def test_importing_the_step_imports_no_mail_library():
    """It is imported by every `flowmill validate`."""
    code = "import sys, flowmill_tasks.email; print({'smtplib', 'email.policy'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_problems_name_paths_that_lead_out_and_a_ca_file_that_is_not_there(tmp_path: Path):
    """An attachment need not be there yet: a step before may make it."""
    step = email(
        attachments=["later.csv", "../out.csv", Unrendered("${{ vars.x }}")],
        smtp={**SMTP, "ca_file": "ca.pem"},
    )
    assert [route for route, _ in step.problems(tmp_path, tmp_path)] == [
        ("attachments", 1),
        ("smtp", "ca_file"),
    ]
    assert email(smtp=Unrendered("${{ secrets.mail }}")).problems(tmp_path, tmp_path) == []


def test_the_preview_shows_the_mail_and_hides_the_password(tmp_path: Path):
    step = email(
        cc="c@example.org",
        bcc=Unrendered("${{ secrets.report.archive }}"),
        text="\n".join("123456789"),
        attachments="out/report.csv",
        smtp={**SMTP, "username": "bob", "password": Rendered("canary")},
    )
    assert step.preview(step_run(tmp_path)) == [
        "email",
        "  From: flows@example.org",
        "  To: a@example.org",
        "  Cc: c@example.org",
        "  Bcc: ${{ secrets.report.archive }}",
        "  Subject: hi",
        "  Attached: out/report.csv",
        *(f"  | {line}" for line in ("1", "2", "3", "4", "5", "...")),
        "  through mail.example.org:587 (starttls), login bob with password ***",
    ]
    assert step.preview(step_run(tmp_path, outbox=tmp_path))[-1] == f"  to the outbox {tmp_path}"


def test_the_preview_of_unknown_settings_shows_where_they_come_from(tmp_path: Path):
    lines = email(**{"from": ..., "smtp": Unrendered("${{ secrets.mail }}")}).preview(step_run(tmp_path))
    assert lines[1] == "  From: the sender of the smtp settings"
    assert lines[-1] == "  through ${{ secrets.mail }}"


def test_parse_mailbox_reads_names():
    assert parse_mailbox(' "Doe, Jane" <jane@example.org> ') == Mailbox("jane@example.org", "Doe, Jane")
    assert str(parse_mailbox("Jane  Doe<jane@example.org>")) == "Jane Doe <jane@example.org>"
    with pytest.raises(AddressProblem):
        parse_mailbox("Jane Doe jane@example.org")
