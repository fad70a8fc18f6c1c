"""Plans that are only about when they run."""

from dataclasses import replace
from functools import cache
from pathlib import Path

from flowmill.pipeline import compile_workspace
from flowmill.planning.plan import Plan, SchedulePlan

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples" / "specs"


@cache
def _some_plan() -> Plan:
    return compile_workspace(EXAMPLES).plans["shop.orders", "production"]


def plan_with(*schedules: SchedulePlan, server: str = "etl-01") -> Plan:
    """A flow with these schedules."""
    return replace(_some_plan(), schedules=schedules, server=server)


def schedule(cron: str, zone: str, *, name: str = "schedule-1", paused: bool = False) -> SchedulePlan:
    return SchedulePlan(name, cron, zone, {}, paused)
