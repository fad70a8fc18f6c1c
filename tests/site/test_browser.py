"""The browser of the other tests: it opens files and pages of this machine, and nothing that a page does is missed."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from support.browser import Browser
from support.serving import serving

pytestmark = pytest.mark.browser

COMPLAINTS = [
    pytest.param("<script>console.warn('careful')</script>", "console: warning: careful", id="a warning"),
    pytest.param("<script>throw new Error('broken')</script>", "error: broken", id="an error"),
    pytest.param("<img src='gone.png'>", "gone.png", id="a file that is not there"),
    pytest.param("<img src='https://example.com/a.png'>", "asked for https://example.com/a.png", id="the network"),
    pytest.param(
        "<script>new WebSocket('wss://example.com/a')</script>", "asked for wss://example.com/a", id="a web socket"
    ),
    pytest.param(
        "<meta http-equiv='Content-Security-Policy' content=\"default-src 'self'\"><p style='color: red'>",
        "Content Security Policy",
        id="what the page's policy denies",
    ),
]


@pytest.mark.parametrize(("html", "complaint"), COMPLAINTS)
def test_whatever_a_page_complains_about_is_an_error(
    browser: Browser, tmp_path: Path, html: str, complaint: str
) -> None:
    file = tmp_path / "page.html"
    file.write_text(f"<!doctype html><link rel=icon href='data:,'>{html}")
    with pytest.raises(AssertionError) as raised, browser.page() as page:
        page.goto(file.as_uri())
    assert complaint in str(raised.value)


def test_a_file_that_is_fine_is_fine(browser: Browser, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<!doctype html><title>a page</title><link rel=stylesheet href=look.css>")
    (tmp_path / "look.css").write_text("body { margin: 7px }")
    with browser.page() as page:
        page.goto((tmp_path / "page.html").as_uri())
        assert page.title() == "a page"
        assert page.evaluate("getComputedStyle(document.body).margin") == "7px"


@pytest.fixture
def address() -> Iterator[str]:
    """A page that this machine serves."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>served</title><link rel=icon href='data:,'>")

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    with serving(server):
        yield f"http://127.0.0.1:{server.server_port}/"


def test_a_page_of_this_machine_is_fine(browser: Browser, address: str) -> None:
    with browser.page() as page:
        page.goto(address)
        assert page.title() == "served"
