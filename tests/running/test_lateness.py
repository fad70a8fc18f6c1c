"""Which late runs are skipped: the rule itself, without a server."""

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from flowmill.local.select import plan_of
from flowmill.planning.plan import Plan
from flowmill.running.lateness import reason_to_skip
from support.flows import script, write_job

HOURLY = {"cron": "0 * * * *"}
DAILY = {"cron": "0 7 * * *"}
NEW_YORK = {"timezone": "America/New_York"}
RUNS = ""


def plan(folder: Path, **keys: Any) -> Plan:
    return plan_of(write_job(folder, script("work"), **keys), "staging")


CASES = [
    ("on time", HOURLY, "2026-11-25T07:00Z", "2026-11-25T07:00:04Z", RUNS),
    ("last: late, and no successor is due", HOURLY, "2026-11-25T07:00Z", "2026-11-25T07:59:59Z", RUNS),
    (
        "last: the successor is due at that second",
        HOURLY,
        "2026-11-25T07:00Z",
        "2026-11-25T08:00Z",
        "skipped: due at 07:00, started 1h late, and the run of 08:00 is due as well (catchup: last)",
    ),
    (
        "last: every two hours",
        {"cron": "0 7-23/2 * * *"},
        "2026-11-25T07:00Z",
        "2026-11-25T09:00:20Z",
        "skipped: due at 07:00, started 2h late, and the run of 09:00 is due as well (catchup: last)",
    ),
    ("last: a daily run in the evening", DAILY, "2026-11-25T07:00Z", "2026-11-25T21:30Z", RUNS),
    (
        "last: days later, with dates",
        DAILY,
        "2026-11-23T07:00Z",
        "2026-11-25T08:00Z",
        "skipped: due at 2026-11-23 07:00, started 2d1h late, and the run of 2026-11-24 07:00 is due as well "
        "(catchup: last)",
    ),
    ("none: within five minutes", {**DAILY, "catchup": "none"}, "2026-11-25T07:00Z", "2026-11-25T07:05Z", RUNS),
    (
        "none: after five minutes",
        {**DAILY, "catchup": "none"},
        "2026-11-25T07:00Z",
        "2026-11-25T07:05:01Z",
        "skipped: due at 07:00, started 5m1s late, which is more than 5m (catchup: none)",
    ),
    (
        "none: a wider limit of its own",
        {**DAILY, "catchup": "none", "skip_if_late": "1h"},
        "2026-11-25T07:00Z",
        "2026-11-25T07:40Z",
        RUNS,
    ),
    (
        "none: the successor is due before the limit is reached",
        {**HOURLY, "catchup": "none", "skip_if_late": "2h"},
        "2026-11-25T07:00Z",
        "2026-11-25T08:10Z",
        "skipped: due at 07:00, started 1h10m late, and the run of 08:00 is due as well (catchup: none)",
    ),
    ("all: whatever is due", {**HOURLY, "catchup": "all"}, "2026-11-23T07:00Z", "2026-11-25T12:00Z", RUNS),
    (
        "all: but not for ever",
        {**HOURLY, "catchup": "all", "skip_if_late": "10m"},
        "2026-11-25T07:00Z",
        "2026-11-25T07:11Z",
        "skipped: due at 07:00, started 11m late, which is more than 10m (skip_if_late)",
    ),
    (
        "last: with a limit",
        {**DAILY, "skip_if_late": "90s"},
        "2026-11-25T07:00Z",
        "2026-11-25T07:02Z",
        "skipped: due at 07:00, started 2m late, which is more than 1m30s (skip_if_late)",
    ),
    ("a time at which nothing fires", HOURLY, "2026-11-25T07:13Z", "2026-11-25T19:00Z", RUNS),
    (
        "a time at which nothing fires, under a limit",
        {**HOURLY, "skip_if_late": "10m"},
        "2026-11-25T07:13Z",
        "2026-11-25T19:00Z",
        "skipped: due at 07:13, started 11h47m late, which is more than 10m (skip_if_late)",
    ),
    ("switched off, so no other run comes", {**HOURLY, "paused": True}, "2026-11-25T07:00Z", "2026-11-25T19:00Z", RUNS),
    ("a flow without a schedule any more", {}, "2026-11-25T07:00Z", "2026-11-25T19:00Z", RUNS),
    (
        "an expression that is long when it is spelt out",
        {"cron": "0-58 0-22 1-30 1-11 *"},
        "2026-10-25T07:00Z",
        "2026-10-25T07:01Z",
        "skipped: due at 07:00, started 1m late, and the run of 07:01 is due as well (catchup: last)",
    ),
    (
        "the night of 23 hours: 02:30 does not exist, and 03:30 is due an hour after 01:30",
        {"cron": "30 1,2 * * *", **NEW_YORK},
        "2027-03-14T06:30Z",
        "2027-03-14T07:30Z",
        "skipped: due at 01:30, started 1h late, and the run of 03:30 is due as well (catchup: last)",
    ),
    (
        "the same, half an hour before",
        {"cron": "30 1,2 * * *", **NEW_YORK},
        "2027-03-14T06:30Z",
        "2027-03-14T07:29:59Z",
        RUNS,
    ),
    (
        "the night of 25 hours: a daily run at 01:30 comes once, so the second 01:30 is no successor",
        {"cron": "30 1 * * *", **NEW_YORK},
        "2027-11-07T05:30Z",
        "2027-11-07T06:45Z",
        RUNS,
    ),
    (
        "the night of 25 hours: the successor of a daily run is 25 hours away",
        {"cron": "0 0 * * *", **NEW_YORK},
        "2027-11-07T04:00Z",
        "2027-11-08T04:59:59Z",
        RUNS,
    ),
    (
        "the night of 25 hours: an hourly run has none in the hour that comes again",
        {"cron": "0 * * * *", **NEW_YORK},
        "2027-11-07T05:00Z",
        "2027-11-07T06:59:59Z",
        RUNS,
    ),
    (
        "the night of 25 hours: but after it",
        {"cron": "0 * * * *", **NEW_YORK},
        "2027-11-07T05:00Z",
        "2027-11-07T07:00Z",
        "skipped: due at 01:00, started 2h late, and the run of 02:00 is due as well (catchup: last)",
    ),
    (
        "the night of 25 hours: what the clock on the wall shows twice is an hour late",
        {"cron": "30 1 * * *", "catchup": "none", **NEW_YORK},
        "2027-11-07T05:30Z",
        "2027-11-07T06:30Z",
        "skipped: due at 01:30, started 1h late, which is more than 5m (catchup: none)",
    ),
]


@pytest.mark.parametrize(("keys", "due", "start", "expected"), [pytest.param(*c[1:], id=c[0]) for c in CASES])
def test_a_late_run(tmp_path: Path, keys: dict[str, Any], due: str, start: str, expected: str) -> None:
    """Whatever the zone in which the times are told: a run tells them in that of its flow."""
    judged = plan(tmp_path, **keys)
    for zone in ("UTC", judged.timezone, "Asia/Tokyo"):
        scheduled, started = (datetime.fromisoformat(time).astimezone(ZoneInfo(zone)) for time in (due, start))
        assert reason_to_skip(judged, scheduled, started, {}) == expected


SEVERAL = {
    "schedules": [
        {"cron": "0 * * * *", "parameters": {"shop": "north"}},
        {"cron": "0 7 * * *", "parameters": {"shop": "south"}},
        {"cron": "0 7,19 * * *"},
    ],
    "parameters": {"shop": {"type": "string", "default": "west"}},
}


@pytest.mark.parametrize(
    ("shop", "start", "word"),
    [
        pytest.param("north", "08:00", "the run of 08:00", id="the hourly one"),
        pytest.param("south", "23:00", RUNS, id="the daily one: the next is tomorrow"),
        pytest.param("west", "18:59", RUNS, id="the one that gives no parameter: the default is its mark"),
        pytest.param("west", "19:00", "the run of 19:00", id="and its successor"),
        pytest.param("east", "23:00", RUNS, id="nobody gives that: in doubt it runs"),
    ],
)
def test_parameters_tell_which_of_several_schedules_it_was(tmp_path: Path, shop: str, start: str, word: str) -> None:
    times = (datetime.fromisoformat(f"2026-11-25T{time}Z") for time in ("07:00", start))
    reason = reason_to_skip(plan(tmp_path, **SEVERAL), *times, {"shop": shop})
    assert word in reason
    assert bool(reason) == bool(word)


def test_where_two_schedules_give_the_same_both_must_have_a_successor(tmp_path: Path) -> None:
    both = plan(tmp_path, schedules=[{"cron": "0 * * * *"}, {"cron": "0 7 * * *"}])
    due, evening = (datetime.fromisoformat(f"2026-11-25T{time}Z") for time in ("07:00", "21:00"))
    assert reason_to_skip(both, due, evening, {}) == RUNS
    assert "07:00 is due as well" in reason_to_skip(both, due, datetime.fromisoformat("2026-11-26T07:00Z"), {})


def test_each_schedule_is_judged_and_told_in_its_own_zone(tmp_path: Path) -> None:
    zones = plan(
        tmp_path,
        timezone="Asia/Tokyo",
        schedules=[{"cron": "0 9 * * *", **NEW_YORK}, {"cron": "0 9 * * *"}],
    )
    due, start = datetime.fromisoformat("2026-11-25T14:00Z"), datetime.fromisoformat("2026-11-26T14:00Z")
    assert reason_to_skip(zones, due, start, {}) == (
        "skipped: due at 2026-11-25 09:00, started 1d late, and the run of 09:00 is due as well (catchup: last)"
    )
