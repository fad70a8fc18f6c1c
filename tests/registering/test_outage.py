"""An hour without a worker: what was due then does not pile up on the server."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from prefect.client.schemas.objects import StateType

from flowmill.backend.automations import late_automation
from support.desk import ON_SQLITE, Desk
from support.engine import eventually

pytestmark = [pytest.mark.prefect, ON_SQLITE]

LIMIT = 11
"""Seconds that no other test has, so that its automation is not theirs."""


@pytest.fixture
def outage(desk: Desk) -> Iterator[Desk]:
    yield desk
    with desk.server.client() as client:
        for it in client.read_automations_by_name(late_automation(LIMIT).name):
            client.delete_automation(it.id)


def test_the_queue_does_not_grow_while_no_worker_is_there(outage: Desk) -> None:
    minutely = {"cron": "* * * * *", "concurrency": 1, "skip_if_late": f"{LIMIT}s"}
    outage.write(gone=minutely, waits={**minutely, "skip_if_late": None, "catchup": "all"})
    outage.register()
    there = outage.there()
    now = datetime.now(UTC)
    for deployment in there.values():
        _make_an_hour(outage, deployment.id, now)
    gone, waits = there["demo.gone"].id, there["demo.waits"].id
    eventually(lambda: len(_due(outage, gone, now)) == 0, 90)
    skipped = [it for it in outage.runs(gone, StateType.CANCELLED) if it.expected_start_time <= now]
    assert (len(skipped), {it.state_name for it in skipped}) == (60, {"Skipped"})
    assert len(_due(outage, waits, now)) == 60, "with `catchup: all` each of them is to run"


def _make_an_hour(desk: Desk, deployment: UUID, now: datetime) -> None:
    """The runs that the server's scheduler would have made in the hour."""
    begin = (now - timedelta(minutes=60)).isoformat()
    body = {"start_time": begin, "end_time": now.isoformat(), "min_runs": 100, "max_runs": 100}
    with desk.server.client() as client:
        client.request("POST", "/deployments/{id}/schedule", path_params={"id": deployment}, json=body)


def _due(desk: Desk, deployment: UUID, now: datetime) -> list[Any]:
    """The runs that wait for a worker."""
    return [it for it in desk.runs(deployment, StateType.SCHEDULED) if it.expected_start_time <= now]
