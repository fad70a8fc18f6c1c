"""R02: whenever a register comes, every run that is due is there, and once."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from support.desk import Desk, desk_in
from support.flows import FLOWMILL
from support.prefect_server import PrefectServer
from support.proxy import ALWAYS, recording_proxy
from support.waiting import PATIENCE, eventually
from support.worker import delete_work_pool

pytestmark = pytest.mark.prefect

EACH_MINUTE = {"cron": "* * * * *"}
FLOWS = 10
FIRST, LAST = 5.0, 0.2
"""Seconds before a run is due at which the first flow and the last one are written."""
STARTED = 40.0
"""Seconds before it at which the command is started: it takes two, and on a slow machine many more."""
HELD = 8.0
"""Seconds for which one answer is held at most: the command waits for 10."""


def test_r02_what_is_changed_just_before_a_run_is_due_runs(
    tmp_path: Path, prefect_server: PrefectServer, postgres_server: PrefectServer
) -> None:
    with ExitStack() as stack:
        servers = (prefect_server, "1"), (postgres_server, "8")
        desks = [(stack.enter_context(_desk(tmp_path, server)), parallel) for server, parallel in servers]
        for desk, _ in desks:
            _write(desk, "before")
            desk.register()
        due = _next_minute(within=STARTED + 2)
        eventually(lambda: _seconds_to(due) < STARTED)
        registers = [stack.enter_context(_registering(desk, due, parallel)) for desk, parallel in desks]
        assert [it.wait(PATIENCE) for it in registers] == [0, 0]
        for desk, _ in desks:
            there = desk.there()
            assert {it.description for it in there.values()} == {"after"}
            assert [desk.due(it.id)[due] for it in there.values()] == [1] * FLOWS
            late = _lateness(desk, due)
            assert sum(it < 0 for it in late) >= FLOWS / 4, f"this machine is too slow to say anything: {late}"


def _write(desk: Desk, description: str) -> None:
    desk.write(**{f"f{number}": {**EACH_MINUTE, "description": description} for number in range(FLOWS)})


@contextmanager
def _desk(parent: Path, server: PrefectServer) -> Iterator[Desk]:
    with recording_proxy(server.api_url) as proxy, desk_in(parent, proxy, server) as desk:
        yield desk
        delete_work_pool(server, "etl-01")


def _next_minute(within: float) -> datetime:
    """The next full minute that is not nearer than so many seconds."""
    soon = datetime.now(UTC) + timedelta(seconds=within)
    return soon.replace(second=0, microsecond=0) + timedelta(minutes=1)


def _seconds_to(due: datetime) -> float:
    return (due - datetime.now(UTC)).total_seconds()


def _sleep_until(due: datetime, before: float) -> None:
    """Hold an answer up to a moment: which moment it is, is what is tried, so there is no condition to wait for."""
    time.sleep(min(HELD, max(0, _seconds_to(due) - before)))


def _registering(desk: Desk, due: datetime, parallel: str) -> "subprocess.Popen[bytes]":
    """A register whose writes reach the server one after the other in the last seconds before a run is due."""
    _write(desk, "after")
    number = count()

    def hold() -> None:
        _sleep_until(due, FIRST - (FIRST - LAST) * next(number) / (FLOWS - 1))

    desk.proxy.rule("PATCH", r"/deployments/[^/]*", times=ALWAYS, before=hold)
    desk.proxy.rule("POST", r".*/filter", times=ALWAYS, before=lambda: _sleep_until(due, FIRST + HELD))
    return subprocess.Popen(
        [FLOWMILL, "register", "--env", "staging", "--parallel", parallel],
        cwd=desk.folder,
        env={**os.environ, "PREFECT_API_URL": desk.proxy.api_url},
        stdout=subprocess.DEVNULL,
    )


def _lateness(desk: Desk, due: datetime) -> list[float]:
    """How many seconds after a run was due each flow was written; negative before."""
    due_here = time.monotonic() + _seconds_to(due)
    return [round(it.ended - due_here, 1) for it in desk.proxy.writes if it.method == "PATCH"]
