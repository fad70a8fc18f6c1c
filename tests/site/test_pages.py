"""Every page opens from a file, complains about nothing, and leads to pages that there are."""

from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe

from support.browser import Browser, keep_screenshot
from support.serving import serving

FOLDERS = ["shipped", "hostile"]


def pages(site: Path) -> list[Path]:
    return sorted(site.rglob("*.html"))


@pytest.fixture(params=FOLDERS)
def site(request: pytest.FixtureRequest) -> Path:
    return Path(request.getfixturevalue(request.param))


@pytest.mark.browser
@pytest.mark.parametrize(("width", "dark"), [(1280, False), (380, True)], ids=["wide and light", "narrow and dark"])
def test_it_opens_and_fits_the_window(browser: Browser, site: Path, width: int, dark: bool) -> None:
    papers = set()
    with browser.page(width=width, dark=dark) as page:
        for file in pages(site):
            page.goto(file.as_uri())
            assert page.locator("h1").count() == 1, file
            assert page.title() not in ("", "caught"), file
            assert page.evaluate("document.documentElement.scrollWidth") == width, file
            papers.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert papers == {"rgb(20, 23, 26)" if dark else "rgb(251, 250, 247)"}


@pytest.mark.browser
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_checker_of_accessibility_finds_nothing(browser: Browser, shipped: Path, dark: bool) -> None:
    names = ["index", "flows/transit.arrivals", "flows/lab.matrix", "projects/parks", "servers/etl-01"]
    found = []
    with browser.page(dark=dark) as page:
        for name in names:
            page.goto((shipped / f"{name}.html").as_uri())
            for problem in Axe().run(page, options={"preload": False}).response["violations"]:
                found += [f"{name}: {problem['id']}: {node['html']}" for node in problem["nodes"]]
    assert not found


@pytest.mark.browser
def test_a_web_server_can_have_it_as_it_is(browser: Browser, shipped: Path) -> None:
    listening = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(shipped)))
    with serving(listening), browser.page() as page:
        page.goto(f"http://127.0.0.1:{listening.server_port}/")
        page.get_by_label("Search", exact=True).fill("trees")
        page.keyboard.press("Enter")
        page.wait_for_url("**/flows/parks.trees.html")
        assert page.locator(".graph svg text").first.is_visible()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing."""


PICTURES = [
    pytest.param("index", 1280, False, id="index"),
    pytest.param("index", 380, True, id="index-narrow-dark"),
    pytest.param("flows/transit.arrivals", 1280, False, id="flow"),
    pytest.param("flows/parks.trees", 1280, True, id="flow-dark"),
    pytest.param("flows/transit.arrivals", 380, False, id="flow-narrow"),
    pytest.param("projects/transit", 1280, False, id="project"),
    pytest.param("servers/etl-01", 1280, False, id="server"),
]


@pytest.mark.browser
@pytest.mark.parametrize(("name", "width", "dark"), PICTURES)
def test_its_picture_is_kept(
    browser: Browser, shipped: Path, name: str, width: int, dark: bool, request: pytest.FixtureRequest
) -> None:
    with browser.page(width=width, dark=dark) as page:
        page.goto((shipped / f"{name}.html").as_uri())
        picture = keep_screenshot(page, f"site-{request.node.callspec.id}")
    assert picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


@pytest.mark.browser
def test_on_paper_there_is_nothing_to_press(browser: Browser, shipped: Path) -> None:
    with browser.page() as page:
        page.goto((shipped / "index.html").as_uri())
        assert page.locator("#finder").is_visible()
        page.emulate_media(media="print")
        assert not page.locator("#finder").is_visible()
        assert page.locator(".flow").first.is_visible()


class _Links(HTMLParser):
    """The ids of a page, and every address that it names."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value for name, value in attrs if name == "id" and value]
        self.addresses += [value for name, value in attrs if name in ("href", "src") and value is not None]


def test_every_address_is_in_the_folder(site: Path) -> None:
    known = {page: _Links(page) for page in pages(site)}
    reached = set()
    for page, links in known.items():
        assert len(links.ids) == len(set(links.ids)), page
        for address in links.addresses:
            parts = urlsplit(address)
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            assert (parts.scheme, parts.netloc) == ("", ""), f"{page} leads outside: {address}"
            assert target.is_file(), f"{page} leads nowhere: {address}"
            if parts.fragment and "=" not in parts.fragment:
                assert parts.fragment in known[target].ids, f"{page} leads nowhere: {address}"
            reached.add(target)
    assert set(known) <= reached, "a page that no other leads to"
