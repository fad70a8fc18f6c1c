"""`flowmill schedule`: what it says on days that are shorter and longer, in every format, and to whom it says no."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from support.browser import Browser, keep_screenshot
from support.files import write_files
from validating.command import Ran, flowmill

STEPS = [{"id": "go", "type": "script", "command": "true"}]


def flow(project: str, **keys: Any) -> dict[str, Any]:
    return {"project": project, "environment": "production", "server": "etl-01", "steps": STEPS, **keys}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    workspace = {
        "environments": {"staging": {"ref": "main"}, "production": {"ref": "production"}},
        "servers": {"etl-01": {}, "etl-02": {}},
        "timezone": "America/Chicago",
    }
    files = {
        "flowmill.yaml": workspace,
        "shop/project.yaml": {},
        "shop/hourly.yaml": flow("shop", cron="15 * * * *"),
        "shop/nightly.yaml": flow("shop", cron="30 2 * * *", server="etl-02"),
        "shop/letter.yaml": flow("shop", cron="0 8 * * MON", timezone="Europe/Berlin"),
        "shop/off.yaml": flow("shop", cron="* * * * *", paused=True),
        "shop/by_hand.yaml": flow("shop"),
    }
    write_files(tmp_path, files)
    return tmp_path


def schedule(folder: Path, *arguments: str | Path) -> Ran:
    return flowmill("schedule", *arguments, cwd=folder)


def test_days_when_clocks_change(folder: Path) -> None:
    """02:30 of the day without it is 03:30; the hour that comes twice counts once for a daily job."""
    ran = schedule(folder, "--from", "2026-03-07", "--days", "3", "--server", "etl-02")
    assert ran.code == 0, ran.error
    assert ran.text.splitlines() == [
        "1 flow, 1 schedule",
        "from Sat 2026-03-07 00:00 CST to Tue 2026-03-10 00:00 CDT, on clocks of America/Chicago",
        "",
        "calendar, March 2026      Sat 07  Sun 08  Mon 09",
        "shop.nightly  production  02:30   03:30   02:30",
        "runs                      1       1       1",
        "                          Sun 08 has 23 hours: clocks skip 02:00",
        "",
        "runs that start in an hour",
        "etl-02     00 01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18 19 20 21 22 23",
        "Sat 07      ·  ·  1" + "  ·" * 21 + "  1",
        "Sun 08      ·  ·  ×  1" + "  ·" * 20 + "  1",
        "Mon 09      ·  ·  1" + "  ·" * 21 + "  1",
        "busiest    Sat 07 02:00 CST, 1 run",
    ]


def test_a_day_of_25_hours_says_so(folder: Path) -> None:
    ran = schedule(folder, "--from", "2026-11-01", "--days", "1")
    assert "Sun 01 has 25 hours: clocks repeat 01:00" in ran.text
    data = json.loads(schedule(folder, "--from", "2026-11-01", "--days", "1", "--format", "json").text)
    assert data["days"] == [{"date": "2026-11-01", "hours": 25.0, "runs": 25}]  # 24 and the nightly one


def test_the_next_runs_on_their_own_clocks_and_in_utc(folder: Path) -> None:
    ran = schedule(folder, "shop/letter.yaml", "--next", "2", "--from", "2026-03-25")
    assert ran.text.splitlines()[3:] == [
        "next runs",
        "  Mon 2026-03-30 08:00 CEST  2026-03-30 06:00 UTC  shop.letter  production  etl-01  schedule-1",
        "  Mon 2026-04-06 08:00 CEST  2026-04-06 06:00 UTC  shop.letter  production  etl-01  schedule-1",
    ]


def test_what_is_paused_is_shown_and_not_counted(folder: Path) -> None:
    ran = schedule(folder, "shop/off.yaml", "--from", "2026-06-01")
    assert "1 flow, 1 schedule, 1 of them paused" in ran.text
    assert "shop.off  production  paused" in ran.text
    assert "runs that start" not in ran.text
    assert "5 flows, 4 schedules, 1 of them paused, 1 without one" in schedule(folder, "--next", "1").text


def test_data_and_page_say_the_same(folder: Path) -> None:
    given = ("--from", "2026-06-01", "--days", "9")
    data = json.loads(schedule(folder, *given, "--format", "json").text)
    assert sum(it["runs"] for it in data["load"]) == len(data["runs"]) == sum(it["runs"] for it in data["days"])
    assert Counter(it["flow"] for it in data["runs"]) == {"shop.hourly": 216, "shop.nightly": 9, "shop.letter": 2}
    assert next(it for it in data["runs"] if it["flow"] == "shop.letter") == {
        "flow": "shop.letter",
        "environment": "production",
        "server": "etl-01",
        "schedule": "schedule-1",
        "timezone": "Europe/Berlin",
        "local": "2026-06-01T08:00:00+02:00",
        "utc": "2026-06-01T06:00:00Z",
    }
    assert data["paused"] == [
        {"flow": "shop.off", "environment": "production", "server": "etl-01", "schedule": "schedule-1"}
    ]


def test_a_terminal_gets_blocks_and_colours(folder: Path) -> None:
    ran = schedule(folder, "--from", "2026-06-01", "--days", "1", "--color")
    assert "\x1b[31m██\x1b[0m" in ran.text
    assert "\x1b" not in schedule(folder, "--from", "2026-06-01", "--days", "1").text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--from", "yesterday"], "`yesterday` is neither a date nor a time; write `2026-01-31`"),
        (["--server", "etl-10"], "no flow here runs on the server `etl-10`; did you mean `etl-0"),
        (["--env", "prodution"], "did you mean `production`?"),
        (["--next", "0"], "1<=x<=1000"),
        (["--out", "nowhere/page.html"], "nowhere/page.html"),
    ],
    ids=lambda it: it[0] if isinstance(it, list) else "",
)
def test_what_is_wrong_with_a_command_line(folder: Path, arguments: list[str], words: str) -> None:
    ran = schedule(folder, *arguments)
    assert ran.code in (1, 2)
    assert words in ran.error


def test_a_spec_that_is_wrong_says_so(folder: Path) -> None:
    write_files(folder, {"shop/wrong.yaml": flow("shop", cron="61 * * * *")})
    ran = schedule(folder)
    assert (ran.code, ran.text) == (1, "")
    assert "`61` is no minute" in ran.error


@pytest.mark.browser
@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
def test_the_page_in_a_browser(folder: Path, browser: Browser, is_dark: bool) -> None:
    ran = schedule(folder, "--from", "2026-10-30T12:00", "--out", "week.html")
    assert (ran.code, ran.text) == (0, ""), ran.error
    with browser.page(dark=is_dark) as page:
        page.goto((folder / "week.html").as_uri())
        assert page.title() == "When flows run"
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert ground == ("rgb(13, 17, 23)" if is_dark else "rgb(255, 255, 255)")
        table = page.get_by_role("table", name="etl-01")
        row = table.get_by_role("row", name="Sun 01 Nov")
        assert row.get_by_role("cell").nth(1).text_content() == "1+0"
        assert row.get_by_role("cell").last.text_content() == "24"
        assert page.get_by_role("row", name="shop.off").get_by_role("cell", name="paused").count() == 7
        assert page.get_by_text("Sun 01 has 25 hours: clocks repeat 01:00").is_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        keep_screenshot(page, f"schedule-{'dark' if is_dark else 'light'}")


def test_without_a_date_it_looks_from_now_on(folder: Path) -> None:
    before = datetime.now(UTC)
    data = json.loads(schedule(folder, "--next", "1", "--format", "json").text)
    assert before <= datetime.fromisoformat(data["from"]) <= datetime.now(UTC)
    assert before <= datetime.fromisoformat(data["next"][0]["utc"]) <= datetime.now(UTC) + timedelta(hours=1)


def test_a_zone_of_the_workspace_that_no_flow_inherits_is_not_missed(folder: Path) -> None:
    write_files(folder, {"shop/own.yaml": flow("shop", cron="7 6 * * *", timezone="UTC")})
    workspace = json.loads((folder / "flowmill.yaml").read_text())
    write_files(folder, {"flowmill.yaml": {**workspace, "timezone": "Mars/Phobos"}})
    ran = schedule(folder, "shop/own.yaml", "--next", "1", "--from", "2026-06-01")
    assert (ran.code, "2026-06-01 06:07 UTC" in ran.text) == (0, True), ran.error
