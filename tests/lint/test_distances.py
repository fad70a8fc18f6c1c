"""How far apart runs are: as an oracle finds that tries every minute, which shares no code with what it judges."""

import random
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from flowmill.lint.distances import Distance, shortest_distance
from flowmill.pipeline import compile_workspace
from flowmill.planning.plan import Plan
from lint.workspace import lay_out
from support.cron_oracle import fields, fires, random_expression

TODAY = date(2026, 11, 26)
START = datetime(2026, 11, 26) - timedelta(minutes=1)
HEAD = "project: demo\nenvironment: staging\nserver: etl-01\nsteps: [{id: load, type: script, command: ./load.sh}]\n"


def plans(folder: Path, schedules: Mapping[str, str]) -> dict[str, Plan]:
    """The plans of flows with these schedules, by name."""
    files = {f"demo/{name}.yaml": f"{HEAD}{text}\n" for name, text in schedules.items()}
    return {plan.flow: plan for plan in compile_workspace(lay_out(folder, files)).plans.values()}


def judged(expression: str, days: int) -> list[datetime]:
    """All fire times of some days."""
    times = fires(expression, START, 24 * days, years=4)
    return [it for it in times if it < START + timedelta(days=days)]


def minutes_between(times: list[datetime]) -> int | None:
    apart = [other - one for one, other in pairwise(sorted(set(times)))]
    return min(apart) // timedelta(minutes=1) if apart else None


def expressions(seed: int, count: int) -> list[str]:
    """Expressions that fire at most once an hour, on average of the day: others would take the oracle too long."""
    dice, found = random.Random(seed), list[str]()
    while len(found) < count:
        expression = random_expression(dice)
        minutes, hours, *_ = fields(expression)
        if len(minutes) * len(hours) <= 24:
            found.append(expression)
    return found


def told(found: Distance | None) -> int | None:
    return found.minutes if found else None


def test_of_one_schedule(tmp_path: Path) -> None:
    crons = {f"f{number}": it for number, it in enumerate(expressions(20261126, 60))}
    for name, plan in plans(tmp_path, {name: f'cron: "{cron}"' for name, cron in crons.items()}).items():
        assert told(shortest_distance(plan, TODAY)) == minutes_between(judged(crons[name], 732)), crons[name]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata"])
def test_of_two_schedules(zone: str, tmp_path: Path) -> None:
    found = expressions(7, 60)
    pairs = {f"f{number}": pair for number, pair in enumerate(zip(found[::2], found[1::2], strict=True))}
    text = 'schedules: [{{cron: "{0}", timezone: UTC}}, {{cron: "{1}", timezone: {zone}}}]'
    for name, plan in plans(tmp_path, {name: text.format(*it, zone=zone) for name, it in pairs.items()}).items():
        first, second = (judged(it, 366) for it in pairs[name])
        moved = [it.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).replace(tzinfo=None) for it in second]
        assert told(shortest_distance(plan, TODAY)) == minutes_between([*first, *moved]), pairs[name]


def test_what_does_other_work_or_is_off_is_not_looked_at(tmp_path: Path) -> None:
    text = """\
schedules:
  - {cron: "0 6 * * *", parameters: {shop: north}}
  - {cron: "1 6 * * *", parameters: {shop: south}}
  - {cron: "2 6 * * *", paused: true}
  - {cron: "30 8 * * *", parameters: {shop: south}}
parameters: {shop: {type: string, default: all}}"""
    found = shortest_distance(plans(tmp_path, {"trips": text})["trips"], TODAY)
    assert found
    assert (found.minutes, found.first_schedule, found.second_schedule) == (149, 1, 3)
    assert found.times == "06:01 and 08:30"
