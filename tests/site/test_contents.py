"""What the pages say of flows, and of texts that try to be something else."""

import re
from pathlib import Path

import pytest

from support.browser import Browser, keep_screenshot
from support.flows import JOB, WORKSPACE, script, write_workspace
from support.sites import HOSTILE, LONG, RIGHT_TO_LEFT, TOKEN, made


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_no_page_has_a_value_that_may_be_a_credential(hostile: Path) -> None:
    for name, text in content(hostile).items():
        assert TOKEN.encode() not in text, name
        assert b"hunter2" not in text, name
        assert b"swordfish" not in text, name
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


TELL = {"id": "tell", "type": "slack", "channel": "C024BE91L"}
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
    *(
        pytest.param({"steps": [script("a"), {**TELL, "if": condition}]}, whom, id=f"a step, {condition}")
        for condition, whom in (
            ("not failure()", ["Nobody"]),
            ("not success()", ["C024BE91L"]),
            ("success() or failure()", ["C024BE91L"]),
            ("always()", ["C024BE91L"]),
            ("failure() and environment == 'production'", ["Nobody"]),
            ("environment == 'staging'", ["Nobody"]),
        )
    ),
    pytest.param(
        {"steps": [{**TELL, "if": "failure()"}, script("a")]}, ["Nobody"], id="a step that nothing fails before"
    ),
    pytest.param(
        {"steps": [script("a", continue_on_error=True), {**TELL, "if": "failure()"}]},
        ["Nobody"],
        id="a failure that is allowed",
    ),
    pytest.param({"finally": [{**TELL, "if": "not failure()"}]}, ["Nobody"], id="at the end, not after a failure"),
    pytest.param({"finally": [{**TELL, "if": "not success()"}]}, ["C024BE91L"], id="at the end, not after success"),
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


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages of flows with the keys of `TOLD`, by their number."""
    flows = {f"demo/f{number}.yaml": flow_with(param.values[0]) for number, param in enumerate(TOLD)}
    return made(write_workspace(tmp_path_factory.mktemp("told"), flows)) / "flows"


def flow_with(keys: dict) -> dict:
    filled = {
        group: [{key: it for key, it in {**KEYS.get(step["type"], {}), **step}.items() if it} for step in steps]
        for group, steps in keys.items()
    }
    return {**JOB, "steps": [script("a")], **filled}


@pytest.mark.parametrize("number", range(len(TOLD)), ids=[param.id for param in TOLD])
def test_who_is_told_when_it_fails(told: Path, number: int) -> None:
    section = (told / f"demo.f{number}.html").read_text().split('id="failure"')[1].split("</section>")[0]
    whom = TOLD[number].values[1]
    assert re.findall(r"<strong[^>]*>([^<]*)</strong>", section) == whom
    assert ('class="told nobody"' in section) is (whom == ["Nobody"])


def test_environments_that_differ_are_told_apart(tmp_path: Path) -> None:
    flow = {
        **JOB,
        "environment": {"staging": {"paused": True, "server": "etl-02"}, "production": None},
        "cron": "15 6 * * MON-FRI",
        "timezone": "Europe/Berlin",
        "steps": [script("a", retries=2, retry_delay="90s", timeout="1h30m", env_from=["db.main"])],
    }
    secrets = {"secrets": {"db": {"description": "ask the owners of the database"}}}
    write_workspace(tmp_path, {"demo/a.yaml": flow}, {**WORKSPACE, **secrets})
    site = made(tmp_path)
    text = " ".join((site / "flows/demo.a.html").read_text().split())
    for part in (
        "<code>15 6 * * MON-FRI</code>",
        'Tue 1 Dec 2026</th><td><time datetime="2026-12-01T06:15:00+01:00">06:15 CET</time></td><td>05:15</td>',
        "<td>1h30m</td>",
        "<td>2, after 1m30s</td>",
        '<code>db</code></a> <span class="name" dir="auto">ask the owners of the database</span>',
        "<code>main.*</code>",
        'override for staging <span class="place">demo/a.yaml:6</span>',
    ):
        assert part in text, part
    marked = re.findall(r'<tr class="differs"><th scope="row">([^<]+)', text)
    assert marked == ["server", "schedule", "branch"]
    assert "<td>–</td> </tr>" in " ".join((site / "servers/etl-02.html").read_text().split()), "nothing is due there"


def test_the_load_of_a_server_is_what_its_schedules_start(tmp_path: Path) -> None:
    flows = {
        "demo/often.yaml": {**JOB, "cron": "*/10 8-9 * * MON-FRI", "timezone": "Asia/Kolkata", "steps": [script("a")]},
        "demo/daily.yaml": {**JOB, "cron": "0 8 * * *", "timezone": "Asia/Kolkata", "steps": [script("a")]},
        "demo/off.yaml": {**JOB, "cron": "* * * * *", "paused": True, "steps": [script("a")]},
        "demo/there.yaml": {**JOB, "cron": "* * * * *", "server": "etl-02", "steps": [script("a")]},
    }
    workspace = {**WORKSPACE, "timezone": "Asia/Kolkata"}
    page = (made(write_workspace(tmp_path, flows, workspace)) / "servers/etl-01.html").read_text()
    rows = [re.findall(r'<td class="level-(\d)">(\d*)</td>', row) for row in page.split("<tr>")]
    days = [[(int(hour), *cell) for hour, cell in enumerate(row) if cell[1]] for row in rows if len(row) == 24]
    working, free = [(8, "4", "7"), (9, "3", "6")], [(8, "1", "1")]
    assert days == [working, working, working, working, free, free, working], "1 December 2026 is a Tuesday"
    assert "67 runs in a week; at most 7 start in one hour. On the clocks of Asia/Kolkata." in page


@pytest.mark.browser
def test_the_graph_is_drawn_with_the_colours_of_the_page(browser: Browser, tmp_path: Path) -> None:
    steps = [script("one"), script("two"), script("three", needs=["one"], timeout="20m")]
    environment = {"staging": {"server": "etl-02"}, "production": {"steps": steps[:2]}}
    write_workspace(tmp_path, {"demo/a.yaml": {**JOB, "environment": environment, "steps": steps}})
    with browser.page(dark=True) as page:
        page.goto((made(tmp_path) / "flows/demo.a.html").as_uri())
        assert [it.split() for it in page.locator(".graph figcaption").all_inner_texts()] == [
            ["staging"],
            ["production"],
        ]
        first, second = page.locator(".graph svg").all()
        assert first.locator("[data-step]").count() == 3
        assert second.locator("[data-step]").count() == 2
        assert first.locator("[data-from=one][data-to=three]").count() == 1
        assert first.locator("text", has_text="timeout 20m").is_visible()
        for media in ("screen", "print"):
            page.emulate_media(media=media)
            colour = first.locator("text.name").first.evaluate("it => getComputedStyle(it).fill")
            assert colour == page.locator("body").evaluate("it => getComputedStyle(it).color"), media
