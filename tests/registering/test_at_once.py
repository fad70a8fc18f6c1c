"""R10, R11, R12: what several registers make and change at the same time, and many flows of one register."""

import contextlib
import os
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey

from flowmill.backend.manifests import key_of
from support.desk import ON_POSTGRESQL, ON_SQLITE, Desk
from support.flows import FLOWMILL
from support.waiting import PATIENCE

pytestmark = pytest.mark.prefect

Tell = Callable[[str, object], None]
MONTHLY = {"cron": "0 6 1 * *"}
BOTH = [{"id": "a", **MONTHLY}, {"id": "b", "cron": "30 6 1 * *"}]
EACH_MINUTE = {"cron": "* * * * *"}
MANY = 40
CANNOT_KEEP_UP = ("stayed busy (503)", "did not answer within")
"""What a register says of a database that takes one write after the other, and has too many waiting."""
LOOKED_WITHIN = 8.0
"""Seconds for which a register waits that the others have looked, too: less than it waits for an answer."""


def test_r10_what_registers_at_once_make_is_there_once(desk: Desk) -> None:
    _forget_automations(desk)
    desk.write(one=EACH_MINUTE, two=EACH_MINUTE, none={})
    _at_once(desk, 8)
    _is_as_of_one(desk, {"demo.one": 1, "demo.two": 1, "demo.none": 0})
    assert _manifests(desk) == 1


def test_r10_two_registers_that_change_come_to_what_one_comes_to(desk: Desk) -> None:
    desk.write(changed=MONTHLY, gone=MONTHLY, kept=MONTHLY)
    desk.register()
    desk.write(changed={"schedules": BOTH}, made=MONTHLY, kept=MONTHLY, new={**MONTHLY, "moved_from": "demo.gone"})
    processes = [_register(desk) for _ in range(2)]
    outputs = [it.communicate(timeout=PATIENCE) for it in processes]
    codes = [it.returncode for it in processes]
    assert "Traceback" not in "".join(error for _, error in outputs)
    assert codes == [0, 0], outputs
    found = desk.there()
    schedules = {flow: sorted(it.slug or "" for it in its.schedules) for flow, its in found.items()}
    alone = ["schedule-1"]
    assert schedules == {"demo.changed": ["a", "b"], "demo.made": alone, "demo.kept": alone, "demo.new": alone}
    assert all(desk.due(it.id) and set(desk.due(it.id).values()) == {1} for it in found.values())
    assert desk.writes("register") == []


def _register(desk: Desk) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [FLOWMILL, "register", "--env", "staging", "--prune"],
        cwd=desk.folder,
        env={**os.environ, "PREFECT_API_URL": desk.proxy.api_url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _at_once(desk: Desk, registers: int) -> None:
    """Let them decide on the same view of the server: each gets it when all have asked for it.

    Each ends with 0, or, where SQLite cannot keep up with so many, with 1 and why; the next goes on from there.
    """
    looked = threading.Barrier(registers)

    def wait() -> None:
        with contextlib.suppress(threading.BrokenBarrierError):
            looked.wait(LOOKED_WITHIN)

    desk.proxy.rule("POST", "/deployments/filter", times=registers, after=wait)
    with ThreadPoolExecutor(registers) as pool:
        ran = list(pool.map(lambda _: desk.run_apart("register", "--create"), range(registers)))
    failed = [it for it in ran if it.returncode]
    if desk.server.database_url:
        assert [it.stdout + it.stderr for it in failed] == []
    for it in failed:
        said = any(why in it.stderr for why in CANNOT_KEEP_UP)
        # Where something was written already, a line before says how much.
        assert (it.returncode, it.stderr.count("\n") <= 2, said) == (1, True, True), it.stderr
    if failed:
        desk.register()
    assert desk.writes("register") == []


def _is_as_of_one(desk: Desk, schedules: dict[str, int]) -> None:
    there = desk.there()
    assert {flow: len(it.schedules) for flow, it in there.items()} == schedules
    for flow, number in schedules.items():
        due = _due(desk, there[flow].id)
        assert len(due) == len(set(due)), "a run was made twice"
        assert due == [due[0] + timedelta(minutes=minute) for minute in range(len(due))] if due else not number
    with desk.server.client() as client:
        names = [it.name for it in client.read_automations() if it.name.startswith("flowmill: ")]
        assert client.read_work_pool("etl-01").type == "process"
    assert len(names) == len(set(names)) > 1


def _due(desk: Desk, deployment: UUID) -> list[datetime]:
    return sorted(it.expected_start_time for it in desk.runs(deployment))


def _manifests(desk: Desk) -> int:
    """How many are kept on the server."""
    key = key_of(desk.folder.name, "staging")
    with desk.server.client() as client:
        return len(client.read_artifacts(artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=[key]))))


def _forget_automations(desk: Desk) -> None:
    """As on a server on which nothing has been registered yet."""
    with desk.server.client() as client:
        for it in client.read_automations():
            client.delete_automation(it.id)


@ON_SQLITE
def test_r11_many_flows_on_sqlite_one_request_after_the_other(desk: Desk, record_property: Tell) -> None:
    _register_many(desk, record_property)
    assert desk.proxy.max_in_flight == 1


@ON_POSTGRESQL
def test_r12_many_flows_on_postgresql_eight_at_once(desk: Desk, record_property: Tell) -> None:
    _register_many(desk, record_property, "--parallel", "8")
    assert 4 < desk.proxy.max_in_flight <= 8
    assert [it.status for it in desk.proxy.requests if it.status >= 500] == []


def _register_many(desk: Desk, tell: Tell, *options: str) -> None:
    """How long it takes goes into pytest's report; other tests take their share of the machine meanwhile."""
    desk.write(**{f"f{number}": EACH_MINUTE for number in range(MANY)})
    began = time.monotonic()
    desk.register(*options)
    tell("seconds", round(time.monotonic() - began, 1))
    assert len(desk.there()) == MANY
    assert desk.writes("register") == []
