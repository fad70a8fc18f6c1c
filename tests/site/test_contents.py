"""What the pages say of flows, and of texts that try to be something else."""

from pathlib import Path

import pytest

from support.browser import Browser, keep_screenshot
from support.flows import JOB, script, write_workspace
from support.sites import HOSTILE, LONG, RIGHT_TO_LEFT, TOKEN, made


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_no_page_has_a_value_that_may_be_a_credential(hostile: Path) -> None:
    for name, text in content(hostile).items():
        assert TOKEN.encode() not in text, name
        assert b"hunter2" not in text, name
    assert b"***" in (hostile / "flows" / page_of(hostile)).read_bytes()


def page_of(site: Path) -> str:
    [page] = (site / "flows").iterdir()
    return page.name


@pytest.mark.browser
def test_hostile_texts_are_shown_as_they_are(browser: Browser, hostile: Path) -> None:
    with browser.page() as page:
        page.goto((hostile / "flows" / page_of(hostile)).as_uri())
        description, second = page.locator("p.lead").all_inner_texts()
        assert description == HOSTILE
        assert second == f"{RIGHT_TO_LEFT} {LONG}"
        assert page.locator("p.lead").nth(1).evaluate("it => getComputedStyle(it).direction") == "rtl"
        assert page.locator("dl.summary bdi").first.inner_text() == HOSTILE
        assert HOSTILE in page.locator("#parameters + .wide").inner_text()
        assert page.locator("main script, main img, main b").count() == 0
        assert page.title() != "caught"
        keep_screenshot(page, "site-hostile")


@pytest.mark.browser
def test_hostile_texts_can_be_looked_for(browser: Browser, hostile: Path) -> None:
    with browser.page() as page:
        page.goto((hostile / "index.html").as_uri())
        page.get_by_label("Search").fill("<script>document.title")
        assert page.locator("#flows > li:visible").count() == 1
        page.get_by_label("Search").fill("<script>nothing")
        assert page.locator("#flows > li:visible").count() == 0


TOLD = [
    pytest.param({}, ["Nobody"], id="nothing is sent"),
    pytest.param(
        {"on_failure": [{"type": "email", "to": ["a@example.org", "b@example.org"], "cc": "c@example.org"}]},
        ["a@example.org", "b@example.org", "c@example.org"],
        id="a mail",
    ),
    pytest.param({"finally": [{"type": "slack", "channel": "C024BE91L"}]}, ["C024BE91L"], id="a channel, at the end"),
    pytest.param(
        {"finally": [{"type": "slack", "channel": "C024BE91L", "if": "success()"}]}, ["Nobody"], id="only of success"
    ),
    pytest.param({"on_success": [{"type": "slack", "channel": "C024BE91L"}]}, ["Nobody"], id="a handler of success"),
    pytest.param(
        {"steps": [script("a"), {"id": "tell", "type": "slack", "channel": "C024BE91L", "if": "failure()"}]},
        ["C024BE91L"],
        id="a step of the graph for failures",
    ),
    pytest.param(
        {"on_failure": [{"type": "slack", "webhook": "${{ secrets.slack.url }}", "token": None}]},
        ["the channel of the webhook slack.url"],
        id="a webhook",
    ),
]
KEYS = {
    "slack": {"token": "${{ secrets.bot }}", "text": "it failed"},
    "email": {"from": "x@example.org", "subject": "it failed", "text": "so", "smtp": "${{ secrets.mail }}"},
}


@pytest.mark.browser
@pytest.mark.parametrize(("keys", "whom"), TOLD)
def test_who_is_told_when_it_fails(browser: Browser, tmp_path: Path, keys: dict, whom: list[str]) -> None:
    filled = {
        group: [{key: it for key, it in {**KEYS.get(step["type"], {}), **step}.items() if it} for step in steps]
        for group, steps in keys.items()
    }
    write_workspace(tmp_path, {"demo/a.yaml": {**JOB, "steps": [script("a")], **filled}})
    with browser.page() as page:
        page.goto((made(tmp_path) / "flows/demo.a.html").as_uri())
        assert page.locator(".told strong").all_inner_texts() == whom
        assert (page.locator(".nobody").count() == 1) is (whom == ["Nobody"])


def test_environments_that_differ_are_told_apart(tmp_path: Path) -> None:
    flow = {
        **JOB,
        "environment": {"staging": {"paused": True, "server": "etl-02"}, "production": None},
        "cron": "15 6 * * MON-FRI",
        "timezone": "Europe/Berlin",
        "steps": [script("a", retries=2, retry_delay="90s", timeout="1h30m", env_from=["db.main"])],
    }
    write_workspace(tmp_path, {"demo/a.yaml": flow})
    text = " ".join((made(tmp_path) / "flows/demo.a.html").read_text().split())
    for part in (
        "<code>15 6 * * MON-FRI</code>",
        'Tue 1 Dec 2026</th><td><time datetime="2026-12-01T06:15:00+01:00">06:15 CET</time></td><td>05:15</td>',
        "<td>1h30m</td>",
        "<td>2, after 1m30s</td>",
        "<code>db</code>",
        "<code>main.*</code>",
        'override for staging <span class="place">demo/a.yaml:6</span>',
    ):
        assert part in text, part
