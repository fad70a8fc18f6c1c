"""An hour without a worker: what was due then does not pile up on the server."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from prefect.client.schemas.objects import StateType
from prefect.states import Scheduled

from flowmill.backend.automations import late_automation
from support.desk import Desk
from support.waiting import eventually

# On a busy machine, the events of a server on SQLite come a minute late.
ON_POSTGRESQL = pytest.mark.parametrize("server", ["postgres_server"], ids=["postgresql"], indirect=True)
pytestmark = [pytest.mark.prefect, ON_POSTGRESQL]

LIMIT = 11
"""Seconds that no other test has, so that its automation is not theirs."""


@pytest.fixture
def outage(desk: Desk) -> Iterator[Desk]:
    yield desk
    with desk.server.client() as client:
        for it in client.read_automations_by_name(late_automation(LIMIT).name):
            client.delete_automation(it.id)


def test_the_queue_does_not_grow_while_no_worker_is_there(outage: Desk) -> None:
    often = {"cron": "*/5 * * * *", "concurrency": 1}
    outage.write(gone={**often, "skip_if_late": f"{LIMIT}s"}, waits={**often, "catchup": "all"})
    outage.register()
    there, now = outage.there(), datetime.now(UTC)
    gone, waits = there["demo.gone"].id, there["demo.waits"].id
    _make_an_hour(outage, gone, now)
    _make_an_hour(outage, waits, now)
    eventually(lambda: not _due(outage, gone, now))
    skipped = [it for it in outage.runs(gone, StateType.CANCELLED) if it.expected_start_time <= now]
    assert (len(skipped), {it.state_name for it in skipped}) == (12, {"Skipped"})
    assert len(_due(outage, waits, now)) == 12, "with `catchup: all` each of them is to run"


def _make_an_hour(desk: Desk, deployment: UUID, now: datetime) -> None:
    """The runs of the hour before. They are made as by hand, with the tag by which the server knows its own.

    Of a run that its scheduler has made less than five minutes before it is late, the server hears 15 minutes later:
    it waits for the event of its being scheduled, which the scheduler does not send.
    """
    with desk.server.client() as client:
        for minutes in range(5, 65, 5):
            due = Scheduled(scheduled_time=now - timedelta(minutes=minutes))
            client.create_flow_run_from_deployment(deployment, state=due, tags=["auto-scheduled"])


def _due(desk: Desk, deployment: UUID, now: datetime) -> list[Any]:
    """The runs that wait for a worker."""
    return [it for it in desk.runs(deployment, StateType.SCHEDULED) if it.expected_start_time <= now]
