"""The message that the step `email` writes: well formed whatever is put in, and kept in the outbox."""

import re
from email.header import decode_header, make_header
from email.utils import getaddresses, parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flowmill_tasks._email_addresses import Mailbox
from flowmill_tasks._email_message import Attachment, Message, as_bytes, shortened, shortened_html
from flowmill_tasks.base import StepFailed
from flowmill_tasks.email import Email, EmailOutput
from flowmill_tasks.fields import Unrendered
from support.smtp import mail_server, parsed
from support.steps import ListLog, run_step, step_run


def email(**changes: Any) -> Email:
    values = {"to": ["a@example.org"], "from": "flows@example.org", "subject": "hi", "text": "hello"}
    merged = {**values, "smtp": {"host": "mail.example.org"}, **changes}
    return Email.model_validate({key: value for key, value in merged.items() if value is not ...})


def written(outbox: Path, step: Email, directory: Path, **changes: Any) -> bytes:
    output = run_step(step, step_run(directory, outbox=outbox, **changes))
    assert isinstance(output, EmailOutput)
    return Path(output.path).read_bytes()


def _raw(data: bytes, name: str) -> str:
    """A header as it was written, unfolded."""
    head = data.partition(b"\r\n\r\n")[0].decode("ascii")
    (value,) = re.findall(rf"(?m)^{name}: ?((?:.*\r\n[ \t])*.*?)\r?$", head)
    return re.sub(r"\r\n", "", value)


HEADERS = "Auto-Submitted Cc Content-Type Date From MIME-Version Message-ID Subject To"
ONE_LINE = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=120).map(str.strip)
NAMES = ONE_LINE.map(lambda name: re.sub(r'["\\]', "", " ".join(name.split()))).filter(lambda n: len(n) < 200)
MAILBOXES = st.builds(
    Mailbox,
    st.sampled_from(["a@example.org", "x.y+z@b.example", "o'neil" + "y" * 50 + "@" + "d" * 60 + ".org"]),
    NAMES,
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(MAILBOXES, min_size=1, max_size=6),
    ONE_LINE,
    st.text(st.characters(exclude_categories=("Cs",)), max_size=200),
    st.lists(ONE_LINE.map(lambda name: name.replace("/", "")).filter(bool), max_size=2),
)
def test_any_message_is_well_formed_and_says_what_it_was_given(
    to: list[Mailbox], subject: str, text: str, names: list[str]
):
    attachments = tuple(Attachment(name, b"\x00\r\n.\r\n\xff") for name in names)
    data = as_bytes(Message("<1@x>", to[0], tuple(to), subject, text, f"<p>{text}", tuple(to), attachments=attachments))
    assert data.isascii()
    assert data.endswith(b"\r\n")
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", data)
    assert max(map(len, data.split(b"\r\n"))) <= 998
    head = data.partition(b"\r\n\r\n")[0].decode()
    assert sorted(re.findall(r"(?m)^([A-Za-z-]+):", head)) == HEADERS.split()
    assert str(make_header(decode_header(_raw(data, "Subject")))) == subject
    assert [address for _, address in getaddresses([_raw(data, "To")])] == [box.address for box in to]
    shown = [str(make_header(decode_header(name))) for name, _ in getaddresses([_raw(data, "To")])]
    assert shown == [box.name for box in to]
    message = parsed(data)
    plain = message.get_body(("plain",))
    assert plain is not None
    assert plain.get_content().encode().splitlines() == (text or "\n").encode().splitlines()
    assert [part.get_content() for part in message.iter_attachments()] == [a.data for a in attachments]


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("report.csv", "text/csv"),
        ("plot.png", "image/png"),
        ("dump.csv.gz", "application/octet-stream"),
        ("mail.eml", "application/octet-stream"),
        ("unknown", "application/octet-stream"),
        ("Übersicht März.pdf", "application/pdf"),
    ],
)
def test_an_attachment_keeps_its_name_and_bytes(name: str, media_type: str, tmp_path: Path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).write_bytes(b"\x00\xff\r\n.\n")
    data = written(tmp_path / "outbox", email(attachments=f"out/{name}", html="<p>hi"), tmp_path)
    (part,) = parsed(data).iter_attachments()
    assert (part.get_filename(), part.get_content_type()) == (name, media_type)
    assert part.get_payload(decode=True) == b"\x00\xff\r\n.\n"


def test_text_and_html_are_alternatives(tmp_path: Path):
    both = parsed(written(tmp_path, email(html="<p>hallö</p>"), tmp_path))
    assert [part.get_content_type() for part in both.walk()] == [
        *("multipart/alternative", "text/plain", "text/html"),
    ]
    alone = parsed(written(tmp_path, email(text=..., html="<p>hallö</p>"), tmp_path))
    assert (alone.get_content_type(), alone.get_content()) == ("text/html", "<p>hallö</p>\r\n")


def test_in_the_outbox_a_mail_is_a_file_that_a_mail_program_opens(tmp_path: Path):
    """The settings are not needed for it: they are left as they stand in the spec."""
    log = ListLog()
    step = email(**{"from": ..., "smtp": Unrendered("${{ secrets.mail }}"), "bcc": ["hidden@example.org"]})
    output = run_step(step, step_run(tmp_path, outbox=tmp_path / "outbox", log=log))
    assert isinstance(output, EmailOutput)
    data = Path(output.path).read_bytes()
    message = parsed(data)
    assert output.path.endswith(".eml")
    assert log.lines == [f"wrote {output.path} to the outbox; no mail was sent"]
    assert b"\r\nBcc:" not in data
    assert message["X-Flowmill-Recipients"] == "a@example.org, hidden@example.org"
    assert message["From"] == "sender of the smtp settings <unknown@flowmill.invalid>"
    assert message["X-Flowmill-Step"] == "it"
    assert message["Message-ID"] == output.message_id
    assert parsedate_to_datetime(message["Date"]).tzinfo is not None


def test_labels_that_are_no_headers_are_left_out(tmp_path: Path):
    labels = {"flow": "a\r\nBcc: evil@x", "bad name": "x", "empty": " "}
    data = written(tmp_path / "outbox", email(), tmp_path, labels=labels)
    assert parsed(data)["X-Flowmill-Flow"] == "a Bcc: evil@x"
    assert not {"X-Flowmill-Empty", "Bcc", "X-Flowmill-Bad Name"} & set(parsed(data).keys())


def test_a_body_that_is_too_long_is_cut_with_a_note(tmp_path: Path):
    step = email(text="line\n" * 1_000_000, html="<p>line</p>" * 500_000)
    message = parsed(written(tmp_path, step, tmp_path))
    for kind, length in (("plain", "5,000,000"), ("html", "5,500,000")):
        body = message.get_body((kind,))
        assert body is not None
        assert f"[cut: the first 1,048,576 of {length} characters]" in body.get_content()[-200:]


@pytest.mark.parametrize(
    ("html", "limit", "kept"),
    [
        ("<p>one</p><p>two</p>", 12, "<p>one</p>"),
        ("<p>one</p><p>two</p>", 15, "<p>one</p><p>tw"),
        ("<p>one</p>", 10, None),
        ("no tag at all", 5, "no ta"),
    ],
)
def test_html_is_not_cut_inside_a_tag(html: str, limit: int, kept: str | None):
    note = f"\n<p>[cut: the first {limit} of {len(html)} characters]</p>\n"
    assert shortened_html(html, limit) == (html if kept is None else kept + note)
    assert shortened(html, 100) == html


def test_x07_files_that_are_too_large_together_are_not_read(tmp_path: Path):
    for name in ("a.bin", "b.bin"):
        with (tmp_path / name).open("wb") as file:
            file.truncate(10 * 1024**2)
    with pytest.raises(StepFailed, match=r"the mail would have 26\.7 MiB") as caught:
        written(tmp_path / "outbox", email(attachments=["a.bin", "b.bin"]), tmp_path)
    assert caught.value.permanent
    assert not (tmp_path / "outbox").exists()


def test_i09_an_encoded_line_break_stays_encoded(tmp_path: Path):
    subject = "=?utf-8?q?hi=0D=0ABcc:_evil@example.org?="
    with mail_server() as server:
        step = email(
            smtp=server.settings(),
            subject=subject,
            to=[f'"{subject}" <a@example.org>'],
            attachments=[f"{subject}.csv"],
        )
        (tmp_path / f"{subject}.csv").write_text("x")
        run_step(step, step_run(tmp_path, labels={"flow": subject}))
    (mail,) = server.received
    assert mail.recipients == ["a@example.org"]
    assert b"\nBcc" not in mail.data
    assert str(make_header(decode_header(_raw(mail.data, "Subject")))) == subject
