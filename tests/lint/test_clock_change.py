"""In every zone whose clocks change: what falls into a change is told, with the run's time, and the hint mends it."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import available_timezones

import pytest

from flowmill.diagnostics import Finding
from flowmill.lint.rules.clock_change import check
from flowmill.lint.subjects import LintedFlow
from flowmill.pipeline import compile_workspace
from flowmill.planning.plan import SchedulePlan
from flowmill.spec.lint import RuleOptions
from flowmill.times.clock_changes import ClockChange, clock_changes
from flowmill.times.cron import Cron, parse
from flowmill.times.fire_times import fire_times
from lint.workspace import FLOW, lay_out

TODAY = date(2026, 11, 26)
START = datetime(2026, 11, 26, tzinfo=UTC)
RUNS_AT = re.compile(r": runs at (?:\S+ )?(\d\d:\d\d) \S+ \((?:\S+ )?(\d\d:\d\d) UTC\)")
INSTEAD = re.compile(r"let it run at (\d\d):(\d\d) instead")


@cache
def first_changes() -> tuple[tuple[str, ClockChange], ...]:
    """Of every zone the first change of each kind."""
    return tuple(_first_changes())


def _first_changes() -> Iterator[tuple[str, ClockChange]]:
    for zone in sorted(available_timezones() - {"localtime"}):
        changes = clock_changes(zone, START, START + timedelta(days=731))
        for is_gap in (True, False):
            yield from [(zone, it) for it in changes if it.is_gap is is_gap][:1]


@pytest.fixture(scope="module")
def flow(tmp_path_factory: pytest.TempPathFactory) -> LintedFlow:
    specs = lay_out(tmp_path_factory.mktemp("workspace"), {"demo/trips.yaml": FLOW})
    it = compile_workspace(specs).usable["demo.trips", "production"]
    return LintedFlow(it.bound, it.tree, it.plan, TODAY)


def found(flow: LintedFlow, cron: str, zone: str, *, paused: bool = False) -> list[Finding]:
    plan = replace(flow.plan, schedules=(SchedulePlan("one", cron, zone, {}, paused),))
    return list(check(replace(flow, plan=plan), RuleOptions()))


def parsed(text: str) -> Cron:
    cron = parse(text)
    assert isinstance(cron, Cron)
    return cron


def test_a_daily_run_that_falls_into_a_change_is_told_with_its_time(flow: LintedFlow) -> None:
    for zone, change in first_changes():
        wall = change.first + timedelta(minutes=10)
        cron = f"{wall.minute} {wall.hour} * * *"
        (finding,) = found(flow, cron, zone)
        detail = next(it for it in finding.details if it.startswith(f"{wall:%Y-%m-%d %H:%M} "))
        (run,) = fire_times(parsed(cron), zone, change.at - timedelta(hours=12), 1)
        assert RUNS_AT.findall(detail) == [(f"{run:%H:%M}", f"{run.astimezone(UTC):%H:%M}")], (zone, detail)
    assert len(first_changes()) > 200


def test_the_hint_mends_it(flow: LintedFlow) -> None:
    for zone, change in first_changes():
        wall = change.first + timedelta(minutes=10)
        (finding,) = found(flow, f"{wall.minute} {wall.hour} * * *", zone)
        instead = INSTEAD.search(finding.hint)
        assert instead, finding.hint
        hour, minute = map(int, instead.groups())
        assert found(flow, f"{minute} {hour} * * *", zone) == []
        assert found(flow, f"{wall.minute} {wall.hour} * * *", "UTC") == []


def test_runs_of_every_hour_pass_over_it(flow: LintedFlow) -> None:
    for zone, _ in first_changes():
        assert found(flow, "15 * * * *", zone) == []
        assert found(flow, "*/20 * * * *", zone) == []


def test_what_is_paused_does_not_run(flow: LintedFlow) -> None:
    assert found(flow, "30 2 * * *", "Europe/Berlin")
    assert found(flow, "30 2 * * *", "Europe/Berlin", paused=True) == []
