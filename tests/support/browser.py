"""A headless Chromium that reaches nothing but files and this machine, and tells what pages complain about."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, Route, WebSocketRoute, sync_playwright

SCREENSHOTS = Path(__file__).resolve().parents[2] / ".cache" / "screenshots"
"""Where CI finds them; git ignores the folder."""

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
_LEFT = "net::ERR_ABORTED"
"""What becomes of a request when its page is left before the answer."""
_PATIENCE = 10_000
"""Milliseconds that something on a page may take."""
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
# No name is looked up either, whoever in the browser asks: what pages ask for is denied below, and told.
_NO_NAMES = ", ".join(["MAP * ~NOTFOUND", *(f"EXCLUDE {host}" for host in _LOOPBACK)])
_OPTIONS = [f"--host-resolver-rules={_NO_NAMES}", "--disable-background-networking", "--disable-dev-shm-usage"]


def problem() -> str:
    """Why no page can be opened on this machine; empty when one can."""
    return "" if _program() else f"none of {', '.join(_PROGRAMS)} is in PATH; install chromium"


def _program() -> str | None:
    return next(filter(None, map(shutil.which, _PROGRAMS)), None)


@dataclass(frozen=True)
class Browser:
    """A running Chromium."""

    chromium: Chromium

    @contextmanager
    def page(self, *, width: int = 1280, height: int = 800, dark: bool = False, **more: Any) -> Iterator[Page]:
        """A page in a profile of its own; it is an error if it complains, or asks for something from outside."""
        colours = "dark" if dark else "light"
        size = {"width": width, "height": height}
        context = self.chromium.new_context(viewport=size, color_scheme=colours, reduced_motion="reduce", **more)
        context.set_default_timeout(_PATIENCE)
        complaints: list[str] = []
        try:
            page = context.new_page()
            _listen(page, complaints)
            yield page
        finally:
            context.close()
        assert not complaints, "\n".join(complaints)


def _listen(page: Page, complaints: list[str]) -> None:
    """Collect everything that a page says, or that goes wrong in it; deny it the network."""

    def answer(route: Route) -> None:
        if _is_here(route.request.url):
            route.continue_()
        else:
            complaints.append(f"asked for {route.request.url}")
            route.abort()

    def answer_socket(route: WebSocketRoute) -> None:
        complaints.append(f"asked for {route.url}")
        route.close()

    page.context.route("**/*", answer)
    page.context.route_web_socket("**/*", answer_socket)
    page.on("console", lambda said: complaints.append(f"console: {said.type}: {said.text}"))
    page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
    page.on("requestfailed", lambda it: None if it.failure == _LEFT else complaints.append(f"failed: {it.url}"))
    page.on("response", lambda it: None if it.ok else complaints.append(f"failed: {it.url}: {it.status}"))


def _is_here(url: str) -> bool:
    address = urlsplit(url)
    return address.scheme in ("file", "data", "blob", "about") or f"{address.hostname}" in ("::1", *_LOOPBACK)


@contextmanager
def running_browser() -> Iterator[Browser]:
    """A Chromium that is gone afterwards; nothing may be its `problem`."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=_program(), args=_OPTIONS)
        try:
            yield Browser(chromium)
        finally:
            chromium.close()


def keep_screenshot(page: Page, name: str) -> Path:
    """Write the whole page as a picture, for people to look at; CI keeps it."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    path = SCREENSHOTS / f"{name}.png"
    page.screenshot(path=path, full_page=True)
    return path
