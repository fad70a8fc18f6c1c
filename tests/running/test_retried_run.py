"""Retrying a whole run: the same run, and its start is kept."""

import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from flowmill.backend.flow import build_flow
from flowmill.local.runtime import local_runtime
from flowmill.local.select import plan_of
from support.flows import run_again, run_flow, script, write_job
from support.prefect_server import PrefectServer

pytestmark = pytest.mark.prefect

NOTE = 'echo "$1" >> "$2"'
FAILS_ONCE = f'{NOTE}; [ -e "$3" ] || {{ touch "$3"; exit 1; }}'


def test_the_start_of_a_run_is_kept_by_the_server(prefect_server: PrefectServer, tmp_path: Path) -> None:
    """Each attempt is made by a flow of its own, as by two processes of a worker."""
    starts = tmp_path / "starts"
    moments = ["${{ run.start | date('%H:%M:%S.%f') }} ${{ run.scheduled | date('%H:%M:%S.%f') }}", str(starts)]
    spec = write_job(tmp_path, script("once", FAILS_ONCE, args=[*moments, str(tmp_path / "mark")]))
    plan = plan_of(spec, "staging")
    failed = run_flow(prefect_server, build_flow(plan, local_runtime(spec)), plan)
    retried = run_again(prefect_server, failed, build_flow(plan, local_runtime(spec)), plan)
    assert (failed.state.name, retried.state.name) == ("Failed", "Completed")
    first, second = starts.read_text().splitlines()
    assert first == second


def test_one_can_count_back_from_the_start_that_the_server_tells(prefect_server: PrefectServer, tmp_path: Path) -> None:
    """Prefect's own times lose their zone in a subtraction, and then show the wrong hour."""
    moments = ["${{ run.start - hours(2) }}", "${{ run.scheduled - hours(2) }}", "${{ run.start }}"]
    spec = write_job(tmp_path, script("tell", ["echo", *moments]), timezone="America/New_York")
    plan = plan_of(spec, "staging")
    ran = run_flow(prefect_server, build_flow(plan, local_runtime(spec)), plan)
    told = next(line.split() for line in ran.lines("tell") if "T" in line)
    before, _, start = map(datetime.fromisoformat, told)
    assert start - before == timedelta(hours=2)
    assert all(re.search(r"-0[45]:00$", word) for word in told)
