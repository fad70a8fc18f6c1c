"""R18: the clock of the machine that registers is a day off, and nothing follows from it."""

import os
import subprocess
from datetime import timedelta

import pytest

from support.desk import ON_SQLITE, Desk
from support.flows import FLOWMILL

pytestmark = pytest.mark.prefect


@ON_SQLITE
@pytest.mark.faketime
@pytest.mark.parametrize("off", ["-1d", "+1d"])
def test_r18_a_client_whose_clock_is_a_day_off_registers_as_any(desk: Desk, off: str) -> None:
    desk.write(one={"cron": "* * * * *"}, far={"cron": "0 6 1 * *"})
    planned = desk.run("plan").stdout
    assert _off_by(desk, off, "plan") == planned, "the next times are told by the server's clock"
    _off_by(desk, off, "register", "--create")
    assert desk.writes("register") == []
    first = desk.there()["demo.one"]
    desk.write(one={"cron": "* * * * *", "description": "after"}, far={"cron": "0 6 1 * *"})
    _off_by(desk, off, "register")
    assert desk.there()["demo.one"].description == "after"
    due = sorted(it.expected_start_time for it in desk.runs(first.id))
    assert first.created
    assert due[0] - first.created < timedelta(minutes=1)
    assert due == [due[0] + timedelta(minutes=minute) for minute in range(len(due))], "each once, and none left out"
    assert desk.writes("register") == []


def _off_by(desk: Desk, off: str, verb: str, *options: str) -> str:
    """The command under a clock that is off by so much; what it prints."""
    command = ["faketime", "-f", off, FLOWMILL, verb, "--env", "staging", *options]
    environ = {**os.environ, "PREFECT_API_URL": desk.proxy.api_url}
    ran = subprocess.run(command, cwd=desk.folder, env=environ, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) in ((0, ""), (2, "")), ran.stderr
    return ran.stdout
