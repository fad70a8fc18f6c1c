"""Reading a file: what is not a file, not text or not in the workspace is a diagnostic and never a hang."""

import os
import socket
import tempfile
import time
import tracemalloc
from pathlib import Path

import pytest

from flowmill.diagnostics import Diagnostic, Span
from flowmill.reading.credentials import looks_like_credential
from flowmill.reading.file import SIZE_LIMIT, read_source
from flowmill.reading.parse import parse_tree
from flowmill.reading.source import Source
from flowmill.reading.tree import Tree
from support.waiting import LEEWAY

NOBODY = 65534
SECRET_TEXT = "root:x:0:0"


def read(path: Path, root: Path | None = None) -> Source | Diagnostic:
    return read_source(path, path.name, root or path.parent)


def refused(path: Path, root: Path | None = None) -> Diagnostic:
    """The diagnostic, which has to come soon: some of what is read never ends."""
    start = time.perf_counter()
    found = read(path, root)
    assert time.perf_counter() - start < LEEWAY
    assert isinstance(found, Diagnostic)
    return found


def written(folder: Path, data: bytes) -> Path:
    path = folder / "flow.yaml"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("data", "text"),
    [
        pytest.param(b"a: 1\n", "a: 1\n", id="lf"),
        pytest.param(b"\xef\xbb\xbfa: 1\n", "a: 1\n", id="y17-byte-order-mark"),
        pytest.param(b"a: 1\r\nb: 2\r\n", "a: 1\r\nb: 2\r\n", id="y17-crlf"),
        pytest.param("naïve: 日本\n".encode(), "naïve: 日本\n", id="utf-8"),
        pytest.param(b"", "", id="empty"),
    ],
)
def test_a_text_file_is_read_as_it_is(tmp_path, data, text):
    assert read(written(tmp_path, data)) == Source("flow.yaml", text)


@pytest.mark.parametrize(
    ("data", "code", "place"),
    [
        pytest.param("a: é\n".encode("utf-16"), "yaml-encoding", (1, 1), id="y17-utf-16"),
        pytest.param("a: é\n".encode("utf-16-be"), "yaml-encoding", (1, 1), id="y17-utf-16-without-mark"),
        pytest.param(b"\xfe\xff" + "a".encode("utf-16-be"), "yaml-encoding", (1, 1), id="y17-utf-16-be"),
        pytest.param("a: é\n".encode("utf-32"), "yaml-encoding", (1, 1), id="y17-utf-32"),
        pytest.param(b"\x00\x00\xfe\xff\x00\x00\x00a", "yaml-encoding", (1, 1), id="y17-utf-32-be"),
        pytest.param("a: 1\nbé: né\n".encode("latin-1"), "yaml-encoding", (2, 2), id="y17-latin-1"),
        pytest.param("é: ü".encode() + b" \xe9\n", "yaml-encoding", (1, 6), id="y17-latin-1-after-utf-8"),
        pytest.param(b"a: 1\rb: 2\r", "yaml-encoding", (1, 5), id="y17-carriage-returns"),
        pytest.param(b"a: \xed\xa0\x80\n", "yaml-encoding", (1, 4), id="y18-surrogate"),
        pytest.param(b"a: 1\nb: x\x00y\n", "yaml-character", (2, 5), id="y18-nul"),
        pytest.param(b"a: \x07\n", "yaml-character", (1, 4), id="y18-bell"),
        pytest.param(b"a: \x1b[31mred\n", "yaml-character", (1, 4), id="y18-escape-sequence"),
        pytest.param(b"a: x\x7f\n", "yaml-character", (1, 5), id="y18-delete"),
        pytest.param("é: \uffff\n".encode(), "yaml-character", (1, 4), id="y18-not-a-character"),
        pytest.param("é: \u202eb\n".encode(), "yaml-character", (1, 4), id="y19-bidi-override"),
    ],
)
def test_what_is_not_plain_utf_8_is_refused_with_its_place(tmp_path, data, code, place):
    problem = refused(written(tmp_path, data))
    assert problem.code == code
    assert (problem.span.path, problem.span.line, problem.span.column) == ("flow.yaml", *place)
    assert (problem.message + problem.hint).isprintable()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"#" * (SIZE_LIMIT + 1), id="y21-one-byte-more"),
        pytest.param(b"a: " + b"x" * 50_000_000, id="y21-a-line-of-50-megabytes"),
        pytest.param(b"steps:\n" + b"  - {id: a, type: script}\n" * 400_000, id="y21-10-megabytes-of-steps"),
    ],
)
def test_y21_a_file_beyond_the_limit_is_refused_before_it_is_read(tmp_path, data):
    path = written(tmp_path, data)
    tracemalloc.start()
    found = read(path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < SIZE_LIMIT
    assert isinstance(found, Diagnostic)
    assert found.code == "file-size"


def test_y21_a_file_of_the_limit_is_read(tmp_path):
    assert isinstance(read(written(tmp_path, b"#" * SIZE_LIMIT)), Source)


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


def make_dangling(path: Path) -> None:
    path.symlink_to("nowhere.yaml")


def make_loop(path: Path) -> None:
    path.symlink_to("other.yaml")
    path.with_name("other.yaml").symlink_to(path.name)


def make_device_link(path: Path) -> None:
    path.symlink_to("/dev/zero")


def make_pipe_link(path: Path) -> None:
    os.mkfifo(path.with_name("pipe"))
    path.symlink_to("pipe")


def make_below_a_file(path: Path) -> None:
    path.parent.rmdir()
    path.parent.write_text("not a folder")


@pytest.mark.parametrize(
    ("make", "code", "words"),
    [
        pytest.param(make_pipe, "file-kind", "is a named pipe", id="y22-fifo"),
        pytest.param(make_pipe_link, "file-kind", "is a named pipe", id="y22-link-to-a-fifo"),
        pytest.param(make_socket, "file-kind", "is a socket", id="y22-socket"),
        pytest.param(Path.mkdir, "file-kind", "is a folder", id="y22-folder"),
        pytest.param(make_device_link, "file-link", "leads out of the workspace", id="y22-dev-zero"),
        pytest.param(make_dangling, "file-missing", "a file that does not exist", id="y22-dangling"),
        pytest.param(make_loop, "file-link", "leads back to itself", id="y22-loop"),
        pytest.param(lambda path: None, "file-missing", "does not exist", id="missing"),
        pytest.param(make_below_a_file, "file-missing", "does not exist", id="below-a-file"),
    ],
)
def test_y22_what_is_not_a_file_is_refused_within_a_second(tmp_path, make, code, words):
    folder = tmp_path / "project"
    folder.mkdir()
    path = folder / "flow.yaml"
    make(path)
    problem = refused(path, tmp_path)
    assert (problem.code, problem.span) == (code, Span("flow.yaml"))
    assert words in problem.message


def test_y22_a_device_is_refused_before_it_is_opened():
    assert refused(Path("/dev/zero")).code == "file-kind"


def test_a_name_with_a_nul_character_is_a_missing_file(tmp_path):
    assert refused(tmp_path / "a\0b.yaml").code == "file-missing"


def test_a_name_that_is_too_long_is_unreadable(tmp_path):
    assert refused(tmp_path / ("x" * 300 + ".yaml")).code == "file-unreadable"


@pytest.mark.parametrize("target", ["/etc/passwd", "../outside.yaml", "../workspace-evil/flow.yaml"])
def test_y23_a_link_out_of_the_workspace_is_refused_and_shows_nothing(tmp_path, target):
    root = tmp_path / "workspace"
    (tmp_path / "workspace-evil").mkdir()
    root.mkdir()
    for outside in (tmp_path / "outside.yaml", tmp_path / "workspace-evil" / "flow.yaml"):
        outside.write_text(f"a: {SECRET_TEXT}\n")
    (root / "flow.yaml").symlink_to(target)
    problem = refused(root / "flow.yaml")
    assert problem.code == "file-link"
    assert SECRET_TEXT not in repr(problem)


def test_y23_a_folder_that_links_out_of_the_workspace_is_refused(tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "flow.yaml").write_text(f"a: {SECRET_TEXT}\n")
    root = tmp_path / "workspace"
    root.mkdir()
    (root / "project").symlink_to("../outside")
    problem = refused(root / "project" / "flow.yaml", root)
    assert problem.code == "file-link"
    assert SECRET_TEXT not in repr(problem)


def test_a_link_inside_the_workspace_is_followed(tmp_path):
    (tmp_path / "shared.yaml").write_text("a: 1\n")
    (tmp_path / "project").mkdir()
    link = tmp_path / "project" / "flow.yaml"
    link.symlink_to("../shared.yaml")
    assert read(link, tmp_path) == Source("flow.yaml", "a: 1\n")


def test_a_workspace_that_is_itself_behind_a_link_is_read(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "flow.yaml").write_text("a: 1\n")
    (tmp_path / "link").symlink_to("real")
    assert isinstance(read(tmp_path / "link" / "flow.yaml"), Source)


def code_as_nobody(path: Path) -> str:
    """The code that somebody gets who is not root, from a child process: root may read everything."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        if os.geteuid() == 0:
            os.setgroups([])
            os.setuid(NOBODY)
        found = read(path)
        os.write(writer, (found.code if isinstance(found, Diagnostic) else "read").encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        code = answer.read()
    os.waitpid(child, 0)
    return code


@pytest.mark.parametrize(
    ("file_mode", "folder_mode", "code"),
    [
        pytest.param(0o644, 0o755, "read", id="readable"),
        pytest.param(0o000, 0o755, "file-unreadable", id="y25-file"),
        pytest.param(0o644, 0o000, "file-unreadable", id="y25-folder"),
    ],
)
def test_y25_a_file_without_permission_is_unreadable(file_mode, folder_mode, code):
    with tempfile.TemporaryDirectory() as name:  # tmp_path lies in a folder that only its owner may enter
        Path(name).chmod(0o755)
        folder = Path(name) / "project"
        folder.mkdir()
        path = written(folder, b"a: 1\n")
        path.chmod(file_mode)
        folder.chmod(folder_mode)
        found = code_as_nobody(path)
        folder.chmod(0o755)
    assert found == code


@pytest.mark.parametrize(
    ("text", "offsets", "places"),
    [
        pytest.param("ab\ncd\n", (3, 5), (2, 1, 2, 3), id="lf"),
        pytest.param("ab\r\ncd\r\n", (4, 6), (2, 1, 2, 3), id="crlf"),
        pytest.param("é\n日本語x\n", (3, 5), (2, 2, 2, 4), id="characters-not-bytes"),
        pytest.param("ab\ncd", (1, 4), (1, 2, 2, 2), id="over-two-lines"),
        pytest.param("ab", (2, 9), (1, 3, 1, 3), id="beyond-the-end"),
        pytest.param("", (0, 1), (1, 1, 1, 1), id="empty"),
        pytest.param("ab\n", (2, 1), (1, 3, 1, 3), id="never-backwards"),
    ],
)
def test_offsets_become_lines_and_columns(text, offsets, places):
    assert Source("x", text).span(*offsets) == Span("x", *places)


def test_lines_come_without_their_breaks():
    source = Source("x", "a: 1\r\nb: 2\nc")
    assert [source.line(number) for number in (1, 2, 3)] == ["a: 1", "b: 2", "c"]


CREDENTIALS = ["password", "db_password", "PASSWD", "pwd", "smtp-pass", "api_key", "apikey", "access_token"]
CREDENTIALS += ["webhook_url", "client_secret", "credentials", "private_key"]
MISSPELT = ["passwrod", "pasword", "tokn", "secrte", "webhok", "api_kye", "crednetial", "db_passwrd"]
HARMLESS = ["image", "timeout", "description", "task", "on_failure", "path", "type", "id", "parameters"]


@pytest.mark.parametrize("key", [*CREDENTIALS, *MISSPELT])
def test_i24_a_key_that_names_a_credential_is_known_even_when_misspelt(key):
    assert looks_like_credential(key)


@pytest.mark.parametrize("key", HARMLESS)
def test_other_keys_do_not_name_a_credential(key):
    assert not looks_like_credential(key)


@pytest.mark.parametrize(
    ("text", "line", "secret"),
    [
        pytest.param("password: x\n", 1, True, id="on-the-line"),
        pytest.param("a: {user: b, passwrod: x}\n", 1, True, id="i24-in-a-flow-map"),
        pytest.param("password: |\n  first\n\n  second\n", 4, True, id="in-a-block"),
        pytest.param("smtp:\n  password:\n    - x\n", 3, True, id="in-a-list"),
        pytest.param("tokens:\n- x\n- y\n", 3, True, id="in-a-list-at-the-same-column"),
        pytest.param("password: x\nimage: y\n", 2, False, id="on-the-line-above"),
        pytest.param("a:\n  password: x\nb:\n  c: d\n", 4, False, id="in-the-map-above"),
        pytest.param("text: see https://user:pa55@host/\n", 1, True, id="in-a-url"),
        pytest.param("text: xoxb-1234\n", 1, True, id="a-slack-token"),
        pytest.param("text: see https://host:8080/a@b\n", 1, False, id="a-url-with-a-port"),
    ],
)
def test_a_line_that_may_show_a_secret_is_known(text, line, secret):
    assert Source("x", text).may_show_secret(line) is secret


def test_a_diagnostic_carries_its_line():
    problem = Source("x", "a: 1\npassword: y\n").diagnostic(5, 13, "code", "message")
    assert (problem.source_line, problem.secret) == ("password: y", True)


def test_a_line_of_a_megabyte_is_judged_soon():
    for text in ("x" * 1_000_000, "x " * 500_000, "x" + " " * 999_999, "://" * 333_333, "x: " * 333_333):
        start = time.perf_counter()
        Source("x", text).may_show_secret(1)
        assert time.perf_counter() - start < 2 * LEEWAY


# What is not YAML


@pytest.mark.parametrize(
    ("text", "code", "place", "words"),
    [
        ("a: 1\ncron: * * * * *\n", "yaml-syntax", (2, 7, 16), 'quote this value: "* * * * *"'),
        ("cron: */5 * * * *  # often\n", "yaml-syntax", (1, 7, 18), 'quote this value: "*/5 * * * *"'),
        ("é:\r\n  - to: @daily\r\n", "yaml-syntax", (2, 9, 15), 'quote this value: "@daily"'),
        ("to: [@user, b]\n", "yaml-syntax", (1, 6, 11), 'quote this value: "@user"'),
        ("a: %d\n", "yaml-syntax", (1, 4, 6), 'quote this value: "%d"'),
        ("a: `date`\n", "yaml-syntax", (1, 4, 10), 'quote this value: "`date`"'),
        ("if: > 3\n", "yaml-syntax", (1, 5, 8), 'quote this value: "> 3"'),
        ('a: @"b"\n', "yaml-syntax", (1, 4, 8), "quote this value: '@\"b\"'"),
        ("password: @hunter2\n", "yaml-syntax", (1, 11, 19), "put the value in quotes"),
        ("a: *hourly\n", "yaml-alias", (1, 4, 5), "quote the value"),
        ("a: &x 1\nb: &x 2\n", "yaml-alias", (2, 4, 5), "defined twice"),
        ("a: b: c\n", "yaml-syntax", (1, 4, 8), 'quote this value: "b: c"'),
        ("text: it failed: see log\n", "yaml-syntax", (1, 7, 25), 'quote this value: "it failed: see log"'),
        ("a: 1\nb:2\nc: 3\n", "yaml-syntax", (2, 1, 3), "a space is missing after `b:`"),
        ("a:\n  b:2\n  c: 3\n", "yaml-syntax", (2, 3, 5), "a space is missing after `b:`"),
        ("a:1\n", "yaml-root", (1, 1, 4), "a space is missing after `a:`"),
        ("a\nb: 1\n", "yaml-syntax", (1, 1, 2), "expected a key, a colon and a space"),
        ("a: 1\n  b: 2\n", "yaml-syntax", (2, 3, 4), "indented deeper"),
        ("a:\n  b: 1\n c: 2\n", "yaml-syntax", (3, 2, 3), "indentation of this line (1)"),
        ("a:\n  - b\n  c: 1\n", "yaml-syntax", (3, 3, 4), "a key cannot stand in a list"),
        ("a:\n  b: 1\n  - c\n", "yaml-syntax", (3, 3, 4), "a list item cannot stand in a map"),
        ("a: - b\n", "yaml-syntax", (1, 4, 5), "a line of its own"),
        ('a: 1\nb: "open\nc: 2\n', "yaml-syntax", (2, 4, 5), "the quote that opens here is never closed"),
        ("a: 'open\nb: 1\nc: it's\n", "yaml-syntax", (1, 4, 5), "closed only on line 3"),
        ("a: 'it's'\n", "yaml-syntax", (1, 8, 10), 'quote this value: "it\'s"'),
        ('a: "x" y\n', "yaml-syntax", (1, 8, 9), "quote this value: '\"x\" y'"),
        ("a: [1, 2\nb: 3\n", "yaml-syntax", (1, 4, 5), "the `[` that opens here is never closed"),
        ("a: {b: [1}\n", "yaml-syntax", (1, 10, 11), "expected `,` or the end of the `[`"),
        ("a: [1,,2]\n", "yaml-syntax", (1, 7, 8), "a value is missing"),
        ('a: "\\d"\n', "yaml-syntax", (1, 5, 6), "use single quotes"),
        pytest.param("a:\n\tb: 1\n", "yaml-syntax", (2, 1, 2), "replace the tab", id="y20-tab"),
        pytest.param("a:\n  b: 1\n\tc: 2\n", "yaml-syntax", (3, 1, 2), "replace the tab", id="y20-mixed"),
        pytest.param("%YAML 1.2\n---\na: 1\n", "yaml-directive", (1, 1, 2), "remove", id="directive"),
        pytest.param("a: 1\n---\nb: 2\n", "yaml-documents", (2, 1, 2), "second", id="y16-two"),
        pytest.param("a: 1\n...\nb: 2\n", "yaml-documents", (3, 1, 2), "second", id="y16-after-the-end"),
        pytest.param("", "yaml-empty", (1, 1, 1), "is empty", id="y16-empty"),
        pytest.param(" \n\n", "yaml-empty", (1, 1, 1), "is empty", id="y16-blank"),
        pytest.param("# a\n # b\n", "yaml-empty", (1, 1, 1), "only comments", id="y16-comments"),
        pytest.param("---\n", "yaml-empty", (1, 1, 1), "only document markers", id="y16-dashes"),
        pytest.param("...\n", "yaml-empty", (1, 1, 1), "only document markers", id="y16-dots"),
        pytest.param("- a\n- b\n", "yaml-root", (1, 1, 4), "got a list", id="y16-list"),
        pytest.param("abc\n", "yaml-root", (1, 1, 4), "got text", id="y16-text"),
    ],
)
def test_y12_y16_y20_a_mistake_is_explained_at_its_place(text, code, place, words):
    found = parse_tree(Source("flow.yaml", text))
    assert isinstance(found, list)
    [problem] = found
    assert problem.code == code
    assert (problem.span.line, problem.span.column, problem.span.end_column) == place
    assert words in f"{problem.message}; {problem.hint}"
    assert "hunter2" not in problem.message + problem.hint


@pytest.mark.parametrize("text", ["a:\tb\n", "a: b\t\nc: d\n", "---\na: b\n", "a: b\n...\n", "a: b"])
def test_y20_y16_harmless_variants_are_accepted(text):
    tree = parse_tree(Source("flow.yaml", text))
    assert isinstance(tree, Tree)
    assert tree.plain()["a"] == "b"
