"""Finding a flow in the index: with the keyboard, with the mouse, by a link, and without scripts."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from support.browser import Browser, keep_screenshot

pytestmark = pytest.mark.browser


@pytest.fixture
def index(browser: Browser, shipped: Path) -> Iterator[Page]:
    with browser.page() as page:
        page.goto((shipped / "index.html").as_uri())
        yield page


def seen(page: Page) -> list[str]:
    """The names of the flows that are shown."""
    return page.locator("#flows h3:visible").all_inner_texts()


@pytest.fixture
def total(shipped: Path) -> int:
    """How many flows there are."""
    return len(list((shipped / "flows").iterdir()))


def focused(page: Page) -> str:
    """What has the focus: the id of the element, or its text."""
    return str(page.evaluate("document.activeElement.id || document.activeElement.textContent"))


SEARCHES = [
    pytest.param("transit.ferr", ["transit.ferries"], id="a part of the name"),
    pytest.param("people trails", ["parks.trail_counters"], id="words of the description"),
    pytest.param("project:parks", ["parks.trail_counters", "parks.trees"], id="a project"),
    pytest.param("owner:parks@", ["parks.trail_counters", "parks.trees"], id="an owner"),
    pytest.param("secret:parks", ["parks.trail_counters", "parks.trees"], id="a secret"),
    pytest.param("type:artifact project:examples", ["examples.artifact"], id="a step type in a project"),
    pytest.param("TRAIL counters", ["parks.trail_counters"], id="upper case"),
    pytest.param("server:lab-01 type:script matrix", ["lab.matrix"], id="a server, a type and a word"),
    pytest.param("no such flow", [], id="nothing"),
    pytest.param("<b>(.*", [], id="what would be code"),
]


@pytest.fixture(scope="module")
def opened(browser: Browser, shipped: Path) -> Iterator[Page]:
    """The index, for one search after the other."""
    with browser.page() as page:
        page.goto((shipped / "index.html").as_uri())
        yield page


@pytest.mark.parametrize(("text", "names"), SEARCHES)
def test_what_fits_is_shown_as_one_types(opened: Page, total: int, text: str, names: list[str]) -> None:
    opened.keyboard.press("Escape")
    opened.get_by_label("Search", exact=True).press_sequentially(text)
    assert seen(opened) == names
    assert opened.get_by_role("status").inner_text() == f"{len(names)} of {total}"
    assert opened.get_by_text("No flow fits").is_visible() == (not names)


def test_from_the_slash_to_the_page_without_a_mouse(index: Page) -> None:
    index.keyboard.press("/")
    index.keyboard.type("transit")
    found = seen(index)
    assert len(found) > 3
    index.keyboard.press("ArrowDown")
    index.keyboard.press("ArrowDown")
    index.keyboard.press("ArrowDown")
    index.keyboard.press("ArrowUp")
    assert focused(index) == found[1]
    keep_screenshot(index, "site-search")
    index.keyboard.press("Enter")
    index.wait_for_url(f"**/flows/{found[1]}.html")
    assert index.title().startswith(found[1])


def test_enter_in_the_search_opens_the_first(index: Page) -> None:
    index.keyboard.press("/")
    index.keyboard.type("ferries")
    index.keyboard.press("Enter")
    index.wait_for_url("**/flows/transit.ferries.html")


def test_up_from_the_first_is_the_search_and_the_last_is_the_end(index: Page) -> None:
    index.keyboard.press("/")
    index.keyboard.type("parks")
    for _ in range(4):
        index.keyboard.press("ArrowDown")
    assert focused(index) == seen(index)[-1]
    for _ in range(4):
        index.keyboard.press("ArrowUp")
    assert focused(index) == "q"


def test_escape_starts_over(index: Page, total: int) -> None:
    index.get_by_label("Server", exact=True).select_option("lab-01")
    index.keyboard.press("/")
    index.keyboard.type("nothing like it")
    index.keyboard.press("Escape")
    assert (len(seen(index)), focused(index), index.get_by_label("Server", exact=True).input_value()) == (
        total,
        "q",
        "",
    )


def test_a_slash_can_be_looked_for(index: Page) -> None:
    index.get_by_label("Search", exact=True).press_sequentially("a/b")
    assert index.get_by_label("Search", exact=True).input_value() == "a/b"


def test_filters_narrow_down_what_is_found_and_are_part_of_the_address(index: Page, total: int) -> None:
    index.get_by_label("Project", exact=True).select_option("examples")
    assert len(seen(index)) == 6
    index.get_by_label("Environment", exact=True).select_option("production")
    index.get_by_label("Server", exact=True).select_option("etl-01")
    assert seen(index) == ["examples.template"]
    assert index.url.endswith("#project=examples&environment=production&server=etl-01")
    index.get_by_role("link", name="examples.template").click()
    index.wait_for_url("**/flows/*")
    index.go_back()
    assert seen(index) == ["examples.template"]
    index.get_by_label("Server", exact=True).select_option("lab-01")
    index.get_by_role("button", name="Start over").click()
    assert len(seen(index)) == total


def test_those_that_tell_nobody_are_a_click_away(index: Page) -> None:
    index.get_by_role("link", name="can fail without anybody being told").click()
    index.get_by_role("status").filter(has_text=" of ").wait_for()
    found = seen(index)
    assert "examples.docker" in found
    assert "transit.ferries" not in found
    index.get_by_role("link", name="examples.docker").click()
    index.wait_for_url("**/flows/examples.docker.html")
    assert index.locator(".nobody").inner_text().startswith("Nobody")


def test_a_slash_on_another_page_leads_to_the_search(browser: Browser, shipped: Path) -> None:
    with browser.page() as page:
        page.goto((shipped / "servers/etl-02.html").as_uri())
        page.keyboard.press("/")
        page.wait_for_url("**/index.html#q=")
        page.keyboard.type("trees")
        assert seen(page) == ["parks.trees"]


def test_from_a_flow_to_its_project_its_server_and_back(browser: Browser, shipped: Path) -> None:
    with browser.page() as page:
        page.goto((shipped / "flows/parks.trees.html").as_uri())
        page.locator(".kind").get_by_role("link").click()
        page.get_by_role("link", name="parks.trail_counters").click()
        page.get_by_role("link", name="etl-02").first.click()
        page.wait_for_url("**/servers/etl-02.html")
        assert page.locator("h1").inner_text() == "etl-02"
        page.get_by_role("link", name="parks.trees").click()
        page.wait_for_url("**/flows/parks.trees.html")
        assert page.title().startswith("parks.trees")


def test_a_secret_an_owner_and_a_step_type_lead_to_all_flows_that_have_it(browser: Browser, shipped: Path) -> None:
    found = {}
    with browser.page() as page:
        for name in ("parks", "the flowmill maintainers", "artifact"):
            page.goto((shipped / f"flows/{'parks.trees' if name == 'parks' else 'lab.artifact'}.html").as_uri())
            page.locator(".alike", has_text=re.compile(f"^{name}$")).first.click()
            page.wait_for_url("**/index.html#q=*")
            found[name] = seen(page)
    assert found["parks"] == ["parks.trail_counters", "parks.trees"]
    assert found["artifact"] == ["examples.artifact", "lab.artifact"]
    assert {name.split(".")[0] for name in found["the flowmill maintainers"]} == {"examples", "lab"}


def test_without_scripts_everything_is_there(browser: Browser, shipped: Path, total: int) -> None:
    with browser.page(java_script_enabled=False) as page:
        page.goto((shipped / "index.html").as_uri())
        assert (len(seen(page)), page.locator("#finder").is_visible()) == (total, False)
        page.get_by_role("link", name="parks.trees").click()
        page.wait_for_url("**/flows/parks.trees.html")
        assert page.locator("h1").inner_text() == "trees"
