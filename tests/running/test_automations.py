"""What the Prefect server does by itself about dead runs: made once, and carried out when nobody is there.

The last tests wait for things that take up to two minutes; all of them are begun at once.
"""

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prefect.client.schemas.objects import StateType
from prefect.events.filters import AutomationFilter, AutomationFilterName
from prefect.events.schemas.automations import Automation, EventTrigger
from prefect.states import Pending, Scheduled

from flowmill.backend.automations import (
    NAME,
    SILENT_FOR,
    WANTED,
    ensure_automations,
    late_automation,
)
from flowmill.backend.server import Server
from flowmill.local.select import plan_of
from flowmill.running.late_tags import late_limit, late_tag, limit_of
from support.flowmill_worker import flow_process, flowmill_worker
from support.flows import script, write_workspace
from support.prefect_server import PrefectServer, addressed
from support.waiting import eventually
from support.worker import Deployed, deploy, work_pool

LIMITS = [
    pytest.param({"cron": "0 * * * *"}, 3600, id="hourly: the next run is due"),
    pytest.param({"cron": "*/3 * * * *"}, 180, id="every three minutes"),
    pytest.param({"cron": "30 6 * * MON-FRI"}, 3 * 24 * 3600, id="working days: the gap of a weekend"),
    pytest.param({"cron": "*/5 8-17 * * *"}, (14 * 60 + 5) * 60, id="by day: the gap of a night"),
    pytest.param({"cron": "0 0 29 2 *"}, 4 * 365 * 24 * 3600 + 24 * 3600, id="a day of leap years"),
    pytest.param({"cron": "0 * * * *", "catchup": "none"}, 300, id="none: five minutes"),
    pytest.param({"cron": "0 * * * *", "catchup": "none", "skip_if_late": "20m"}, 1200, id="none: its own limit"),
    pytest.param({"cron": "0 * * * *", "skip_if_late": "5s"}, 10, id="shorter than an automation can wait"),
    pytest.param({"cron": "*/3 * * * *", "catchup": "none"}, 180, id="none: the next run is due before"),
    pytest.param({"cron": "0 * * * *", "catchup": "all"}, None, id="all: none is skipped"),
    pytest.param({"cron": "0 * * * *", "catchup": "all", "skip_if_late": "2h"}, 7200, id="all, but not later than"),
    pytest.param({"cron": "0 * * * *", "paused": True}, None, id="paused"),
    pytest.param({}, None, id="no schedule"),
    pytest.param({"schedules": [{"id": "a", "cron": "0 * * * *"}, {"id": "b", "cron": "0 7 * * *"}]}, 86400, id="two"),
]


def write_flow(folder: Path, server: str = "etl-01", command: str = "true", **keys: Any) -> Path:
    workspace = {"environments": {"staging": {"ref": "main"}}, "servers": {server: {}}}
    job = {"project": "demo", "environment": "staging", "server": server, "tags": ["flowmill"], **keys}
    write_workspace(folder, {f"demo/{server}.yaml": {**job, "steps": [script("work", command)]}}, workspace)
    return folder / f"demo/{server}.yaml"


@pytest.mark.parametrize(("keys", "seconds"), LIMITS)
def test_after_how_long_every_run_would_skip_itself(tmp_path: Path, keys: dict[str, Any], seconds: int | None) -> None:
    plan = plan_of(write_flow(tmp_path, **keys), "staging")
    assert late_limit(plan) == seconds
    tag = late_tag(plan)
    assert tag == (None if seconds is None else f"flowmill-late-{seconds}")
    assert limit_of(tag or "flowmill") == seconds


def there(server: PrefectServer, name: str) -> Automation:
    with server.client() as client:
        named = AutomationFilter(name=AutomationFilterName(any_=[name]))
        [found] = client.read_automations(automations=named)
    return found


def changed(server: PrefectServer, name: str) -> Any:
    with server.client() as client:
        response = client.request("POST", "/automations/filter", json={"automations": {"name": {"any_": [name]}}})
    return [it["updated"] for it in response.json()]


@pytest.mark.prefect
def test_automations_are_made_once_and_corrected(prefect_server: PrefectServer) -> None:
    names = [wanted.name for wanted in WANTED] + [late_automation(7777).name]
    with prefect_server.client() as client:
        written = ensure_automations(Server(client, prefect_server.api_url), [7777])
        assert set(written) <= set(names)
        assert late_automation(7777).name in written
        before = [changed(prefect_server, name) for name in names]
        assert ensure_automations(Server(client, prefect_server.api_url), [7777, 7777]) == []
        assert [changed(prefect_server, name) for name in names] == before
        assert ensure_automations(Server(client, prefect_server.api_url), [7777, 8888]) == [late_automation(8888).name]


@pytest.mark.prefect
def test_an_automation_that_somebody_has_changed_is_corrected_and_one_that_is_off_stays_off(
    prefect_server: PrefectServer,
) -> None:
    name = late_automation(7777).name
    with prefect_server.client() as client:
        ensure_automations(Server(client, prefect_server.api_url), [7777])
        found = there(prefect_server, name)
        client.pause_automation(found.id)
        assert ensure_automations(Server(client, prefect_server.api_url), [7777]) == []
        client.update_automation(
            found.id, late_automation(7777).model_copy(update={"description": "mine", "enabled": False})
        )
        assert ensure_automations(Server(client, prefect_server.api_url), [7777]) == [name]
        corrected = there(prefect_server, name)
        client.delete_automation(found.id)
    assert (corrected.enabled, corrected.description) == (False, late_automation(7777).description)


@dataclass(frozen=True)
class Aftermath:
    """Everything that dies, a moment after it has died."""

    server: PrefectServer
    killed: Deployed
    silent: UUID
    taken: UUID
    late: UUID
    by_hand: UUID
    again: Deployed
    taken_back: dict[str, list[UUID]]
    worker_log: Path

    def run(self, id: UUID) -> Any:
        with self.server.client() as client:
            return client.read_flow_run(id)


@pytest.fixture(scope="module")
def aftermath(postgres_server: PrefectServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aftermath]:
    """On `gone-01` nobody is left but the server; on `back-01` a worker is started again."""
    with addressed(postgres_server):
        yield from _aftermath(postgres_server, tmp_path_factory)


def _aftermath(prefect_server: PrefectServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aftermath]:
    gone, back = tmp_path_factory.mktemp("gone"), tmp_path_factory.mktemp("back")
    with prefect_server.client() as client, work_pool(prefect_server, "gone-01"), work_pool(prefect_server, "back-01"):
        ensure_automations(Server(client, prefect_server.api_url))
        made = [client.create_automation(late_automation(10))]
        spec = write_flow(gone, "gone-01", "sleep 600", tags=["flowmill", "flowmill-late-10", "hasty"])
        killed = deploy(prefect_server, spec)
        again = deploy(prefect_server, write_flow(back, "back-01"))
        silent = kill_all(killed, gone)
        # Not before: a slow machine needs more than its ten seconds to start a run, which then would run twice.
        made.append(client.create_automation(hasty(WANTED[1], 10)))
        taken_back = {how: end_at_pick_up(again, back, how) for how in ("killed", "stopped")}
        taken_back["unnamed"] = [again.run_by_hand()]
        client.set_flow_run_state(taken_back["unnamed"][0], Pending())
        taken = killed.run_by_hand()
        client.set_flow_run_state(taken, Pending())
        now = Scheduled(scheduled_time=datetime.now(UTC))
        late, by_hand = (
            client.create_flow_run_from_deployment(killed.id, state=now, tags=tags).id
            for tags in (["auto-scheduled"], [])
        )
        with flowmill_worker(back, "back-01", "staging") as worker:
            yield Aftermath(prefect_server, killed, silent, taken, late, by_hand, again, taken_back, worker.log)
        for automation in made:
            client.delete_automation(automation)


def hasty(wanted: Any, seconds: int) -> Any:
    """One that does not wait for four minutes, for runs of these tests only."""
    related = [{"prefect.resource.id": "prefect.tag.hasty", "prefect.resource.role": "tag"}]
    changes = {"within": timedelta(seconds=seconds), "match_related": related}
    trigger = EventTrigger.model_validate(wanted.trigger.model_dump() | changes)
    return wanted.model_copy(update={"name": f"{NAME}hasty", "trigger": trigger})


def kill_all(deployed: Deployed, folder: Path) -> UUID:
    with flowmill_worker(folder, "gone-01", "staging") as worker:
        run = deployed.run_by_hand()
        eventually(lambda: deployed.state(run).is_running())
        process = flow_process(run)
        worker.kill()
        os.kill(process, signal.SIGKILL)
    return run


def end_at_pick_up(deployed: Deployed, folder: Path, how: str) -> list[UUID]:
    """Some runs whose worker is gone as soon as it has taken one of them."""
    with flowmill_worker(folder, "back-01", "staging") as worker:
        worker.started()
        runs = [deployed.run_by_hand() for _ in range(3)]
        eventually(lambda: any(deployed.state(run).is_pending() for run in runs))
        worker.kill() if how == "killed" else worker.stop()
    return runs


@pytest.mark.prefect
def test_x34_the_server_schedules_again_what_was_taken_and_not_started(aftermath: Aftermath) -> None:
    state = eventually(lambda: (state := aftermath.run(aftermath.taken).state).is_scheduled() and state)
    assert state.message.startswith("scheduled again: ") or state.name == "Late"


@pytest.mark.prefect
def test_a_scheduled_run_that_nobody_takes_is_skipped_in_the_end(aftermath: Aftermath) -> None:
    state = aftermath.killed.ended(aftermath.late)
    assert (state.type, state.name) == (StateType.CANCELLED, "Skipped")
    assert state.message == "skipped: no worker has taken it in the 10 s after it was due"
    assert aftermath.run(aftermath.by_hand).state.is_scheduled()


@pytest.mark.prefect
def test_x32_worker_and_flow_killed_and_nobody_there_but_the_server(aftermath: Aftermath) -> None:
    """Usually within 95 s. Where events come late the server judges by their clock, and so later."""
    state = aftermath.killed.ended(aftermath.silent)
    assert (state.type, state.message) == (
        StateType.CRASHED,
        f"no heartbeat for {SILENT_FOR} s: its process is gone",
    )


@pytest.mark.prefect
@pytest.mark.parametrize("how", ["killed", "stopped", "unnamed"])
def test_x34_the_next_worker_runs_what_was_taken_by_one_that_is_gone(aftermath: Aftermath, how: str) -> None:
    """Also a run whose worker had no time to say that it was it; a run that had begun is crashed."""
    runs = aftermath.taken_back[how]
    ended = {aftermath.again.ended(run).type for run in runs}
    assert ended <= {StateType.COMPLETED, StateType.CRASHED}
    if how == "unnamed":
        assert ended == {StateType.COMPLETED}
        assert f"({runs[0]}) was Pending and is now Scheduled" in aftermath.worker_log.read_text()
