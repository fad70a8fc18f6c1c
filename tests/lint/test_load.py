"""What a fleet starts at once: the limits that hold unless flowmill.yaml says otherwise, clocks of several zones."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from flowmill.lint.distances import days_of
from flowmill.lint.starts import starts
from flowmill.pipeline import compile_workspace
from flowmill.proving import prove
from flowmill.timetable.load import fires, load_by_server_and_hour
from lint.workspace import FLOW, lay_out

ROOT = Path(__file__).parents[2]
IN_STAGING = FLOW.replace("[staging, production]", "staging")


def found(folder: Path, crons: Mapping[str, str], today: date = date(2026, 11, 26)) -> list[tuple[str, str]]:
    """What the rules about load find: code and message; the keys of each flow stand in place of its cron."""
    flows = {name: IN_STAGING.replace('cron: "17 4 * * *"', keys) for name, keys in crons.items()}
    specs = lay_out(folder, {f"demo/{name}.yaml": text for name, text in flows.items()})
    diagnostics = prove(specs, today=today).diagnostics
    return [(it.code, it.message) for it in diagnostics if it.code in ("crowded-minute", "busy-hour")]


def many(count: int, keys: str) -> dict[str, str]:
    return {f"f{number:03}x": keys.format(number=number) for number in range(count)}


def test_ten_flows_may_start_together_and_eleven_may_not(tmp_path: Path) -> None:
    assert found(tmp_path / "ten", many(10, 'cron: "0 6 * * *"')) == []
    message = "11 flows of `staging` start at 06:00 in UTC on `etl-01`: more than 10"
    assert found(tmp_path / "eleven", many(11, 'cron: "0 6 * * *"')) == [("crowded-minute", message)]


def test_flows_of_several_zones_are_compared_on_one_clock(tmp_path: Path) -> None:
    berlin = many(6, 'cron: "0 7 * * *"\ntimezone: Europe/Berlin')
    chicago = {f"other{name}": 'cron: "0 0 * * *"\ntimezone: America/Chicago' for name in many(6, "")}
    message = "12 flows of `staging` start at 06:00 in UTC on `etl-01`: more than 10"
    assert found(tmp_path, {**berlin, **chicago}) == [("crowded-minute", message)]


def test_a_flow_with_two_schedules_is_one_flow(tmp_path: Path) -> None:
    one = 'schedules: [{cron: "0 6 * * *"}, {cron: "0 6 * * MON", parameters: {full: true}}]'
    parameter = "\nparameters: {full: {type: boolean, default: false}}"
    assert found(tmp_path, many(10, f"{one}{parameter}".replace("{", "{{").replace("}", "}}"))) == []


@pytest.mark.parametrize(("flows", "is_busy"), [(20, False), (21, True)])
def test_two_hundred_and_forty_runs_an_hour_are_allowed(flows: int, is_busy: bool, tmp_path: Path) -> None:
    codes = [code for code, _ in found(tmp_path, many(flows, 'cron: "*/5 9 * * *"'))]
    assert ("busy-hour" in codes) is is_busy


def test_the_load_of_an_hour_is_that_of_the_calendar() -> None:
    """On a day in the middle of a week, so that flows of other zones have no other day."""
    day, plans = date(2026, 12, 9), list(compile_workspace(ROOT / "specs").plans.values())
    start = datetime.combine(day, time(), UTC)
    load = load_by_server_and_hour(fires(plans, start, start + timedelta(days=1)))
    assert len(load) > 1
    for server, hours in load.items():
        found = starts([it for it in plans if it.server == server], "UTC", day, 60)
        counts = {begin: sum(it.times for it in its if days_of(*it.days, day, 1)) for begin, its in found.items()}
        assert {begin: count for begin, count in counts.items() if count} == {
            moment.hour * 60: count for moment, count in hours.items()
        }
