"""R10, R11, R12: several registers at once, and several writes of one."""

import os
import subprocess

import pytest

from support.desk import ON_SQLITE, Desk
from support.flows import FLOWMILL
from support.proxy import Request

pytestmark = pytest.mark.prefect

MONTHLY = {"cron": "0 6 1 * *"}
BOTH = [{"id": "a", **MONTHLY}, {"id": "b", "cron": "30 6 1 * *"}]
MANY = 60


@pytest.mark.parametrize("registers", [2, 8])
def test_r10_registers_at_once_come_to_what_one_comes_to(desk: Desk, registers: int) -> None:
    desk.write(changed=MONTHLY, gone=MONTHLY, kept=MONTHLY)
    desk.register()
    desk.write(changed={"schedules": BOTH}, made=MONTHLY, kept=MONTHLY, new={**MONTHLY, "moved_from": "demo.gone"})
    processes = [_register(desk) for _ in range(registers)]
    outputs = [it.communicate(timeout=100) for it in processes]
    codes = [it.returncode for it in processes]
    assert "Traceback" not in "".join(error for _, error in outputs)
    assert codes == [0] * registers, [error for _, error in outputs]
    found = desk.there()
    schedules = {flow: sorted(it.slug or "" for it in its.schedules) for flow, its in found.items()}
    alone = ["schedule-1"]
    assert schedules == {"demo.changed": ["a", "b"], "demo.made": alone, "demo.kept": alone, "demo.new": alone}
    due = {flow: desk.due(it.id) for flow, it in found.items()}
    assert [flow for flow, times in due.items() if set(times.values()) != {1}] == [], due
    assert desk.writes("register") == []


@ON_SQLITE
def test_r11_on_sqlite_there_is_one_write_at_a_time(desk: Desk) -> None:
    desk.write(**{f"f{number}": MONTHLY for number in range(6)})
    desk.register()
    assert _most_at_once(desk.proxy.writes) == 1


@pytest.mark.parametrize("server", ["postgres_server"], ids=["postgresql"], indirect=True)
def test_r12_eight_writes_at_once(desk: Desk) -> None:
    desk.write(**{f"f{number}": MONTHLY for number in range(MANY)})
    code, text = desk.register_here("--parallel", "8")
    assert code == 0, text
    assert {it.status for it in desk.proxy.writes} <= {200, 201, 204}
    assert 1 < _most_at_once(desk.proxy.writes) <= 8
    assert len(desk.there()) == MANY


def _register(desk: Desk) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [FLOWMILL, "register", "--env", "staging", "--prune"],
        cwd=desk.folder,
        env={**os.environ, "PREFECT_API_URL": desk.proxy.api_url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _most_at_once(requests: list[Request]) -> int:
    """How many of them were on their way at the same time."""
    return max(sum(it.started <= one.started < it.ended for it in requests) for one in requests)
