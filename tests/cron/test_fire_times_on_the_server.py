"""What a real Prefect server schedules where clocks change is what flowmill says, or a clock change explains it."""

import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.schedules import CronSchedule

from flowmill.times.clock_changes import ConcernedTime, clock_changes, concerned_times
from flowmill.times.cron import Cron, parse
from flowmill.times.fire_times import fire_times
from support.clock_oracle import DAY, expression_near, shown
from support.prefect_server import PrefectServer

pytestmark = pytest.mark.prefect

START, END = datetime(2026, 11, 26, tzinfo=UTC), datetime(2028, 11, 26, tzinfo=UTC)
ZONES = (
    "America/Chicago",
    "America/New_York",
    "America/Havana",
    "America/Santiago",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Antarctica/Troll",
    "Asia/Beirut",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Europe/Dublin",
    "Pacific/Chatham",
)
SCHEDULES = 10
"""In each deployment: one for each zone and each of two of its changes, a gap and an overlap."""
RUNS_AT_MOST = 6
"""Of each schedule, to keep the test quick."""
JUST = timedelta(microseconds=1)


@dataclass(frozen=True)
class Stretch:
    """A day and a half of a zone around a change of its clock, and expressions that fire in it."""

    zone: str
    start: datetime
    end: datetime
    crons: tuple[Cron, ...]

    def shown_by_flowmill(self, cron: Cron) -> set[datetime]:
        times = fire_times(cron, self.zone, self.start - JUST, 1000, before=self.end)
        return {it.astimezone(UTC) for it in times}

    def concerned(self, cron: Cron) -> list[ConcernedTime]:
        return [it for it in concerned_times(cron, self.zone, START, END) if self.start <= it.fires < self.end]


def stretches() -> Iterator[Stretch]:
    chance = random.Random(20261126)
    for zone in ZONES:
        for change in clock_changes(zone, START, END)[:2]:
            stretch = Stretch(zone, change.at - DAY, change.at + DAY / 2, ())
            found: dict[str, Cron] = {}
            while len(found) < SCHEDULES:
                cron = parse(expression_near(chance, shown(change.at, zone)))
                if isinstance(cron, Cron) and 0 < len(stretch.shown_by_flowmill(cron)) <= RUNS_AT_MOST:
                    found[cron.explicit] = cron
            yield Stretch(zone, stretch.start, stretch.end, tuple(found.values()))


def scheduled(client: SyncPrefectClient, flow_id: UUID, name: str, stretch: Stretch) -> dict[str, set[datetime]]:
    """The times of the runs which the server makes of a stretch, by expression; it forgets them afterwards."""
    zone = stretch.zone
    schedules = [
        DeploymentScheduleCreate(schedule=CronSchedule(cron=it.explicit, timezone=zone)) for it in stretch.crons
    ]
    # Paused, so that the server's own scheduler stays out of it.
    deployment = client.create_deployment(flow_id, name, schedules=schedules, paused=True)
    body = {
        "start_time": stretch.start.isoformat(),
        "end_time": stretch.end.isoformat(),
        "min_runs": 99,
        "max_runs": 99,
    }
    client.request("POST", "/deployments/{id}/schedule", path_params={"id": deployment}, json=body)
    made = client.read_deployment(deployment).schedules
    cron_of = {it.id: it.schedule.cron for it in made if isinstance(it.schedule, CronSchedule)}
    times: dict[str, set[datetime]] = {it.explicit: set() for it in stretch.crons}
    for run in runs(client, deployment):
        assert run.created_by
        assert run.created_by.id
        assert run.expected_start_time
        time = run.expected_start_time.astimezone(UTC)
        if time < stretch.end:
            times[cron_of[run.created_by.id]].add(time)
    client.delete_deployment(deployment)
    return times


def runs(client: SyncPrefectClient, deployment: UUID) -> list[FlowRun]:
    of = DeploymentFilter(id=DeploymentFilterId(any_=[deployment]))
    found = client.read_flow_runs(deployment_filter=of, limit=200)
    assert len(found) < 200
    return found


@dataclass(frozen=True)
class Compared:
    """One schedule: the local times that a change concerns, and what only flowmill and only the server say."""

    stretch: Stretch
    cron: Cron
    concerned: list[ConcernedTime]
    only_ours: set[datetime]
    only_the_servers: set[datetime]

    @property
    def is_explained(self) -> bool:
        """Whether each difference is a time that is skipped or comes twice, read the other way."""
        fires, otherwise = {it.fires for it in self.concerned}, {it.otherwise for it in self.concerned}
        return self.only_ours <= fires and self.only_the_servers <= otherwise


def compared(client: SyncPrefectClient, flow_id: UUID) -> Iterator[Compared]:
    for number, stretch in enumerate(stretches()):
        times = scheduled(client, flow_id, f"stretch-{number}", stretch)
        for cron in stretch.crons:
            ours, theirs = stretch.shown_by_flowmill(cron), times[cron.explicit]
            yield Compared(stretch, cron, stretch.concerned(cron), ours - theirs, theirs - ours)


def test_the_servers_times_are_flowmills_or_a_clock_change_explains_it(prefect_server: PrefectServer) -> None:
    with prefect_server.client() as client:
        flow_id = client.create_flow_from_name("clock-changes")
        all_of_them = [*compared(client, flow_id)]
        client.delete_flow(flow_id)
    assert [it for it in all_of_them if not it.is_explained] == []
    assert len(all_of_them) >= 200
    concerned = [{it.change.is_gap for it in one.concerned} for one in all_of_them]
    assert min(concerned.count({True}), concerned.count({False})) >= 20
    if sys.version_info < (3, 13):
        assert any(it.only_the_servers for it in all_of_them), "no schedule met what is documented of gaps"
