"""`flowmill run --from`: the steps that are left out give the results of the last run; what local runs keep."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from flowmill.backend.success_times import ServerTimes
from flowmill.local.results import CHARACTERS_AT_MOST, Results
from flowmill.local.select import plan_of
from flowmill.running.outcome import Outcome, RunOutcome, State
from flowmill.running.success_times import name_of
from flowmill_tasks.base import ProcessOutput
from flowmill_tasks.registry import discover
from support.flows import Finished, flowmill, script, write_job
from support.prefect_server import PrefectServer

pytestmark = pytest.mark.prefect

KEPT = r"not selected for this run; its results are those of the run of \d{4}-\d\d-\d\d \d\d:\d\d:\d\d"


def run(spec: Path, *options: object, **environ: str) -> Finished:
    return flowmill("run", spec, *options, cwd=spec.parents[1], **environ)


def kept_file(spec: Path) -> Path:
    return spec.parents[1] / ".flowmill/runs/demo.job.staging.json"


ARGUMENTS = ["${{ steps.sync.stdout }}", "${{ steps.tables.results[1].stdout }}"]


@pytest.fixture
def refused(tmp_path: Path) -> Path:
    """A flow that fetches, counts per table, and tells; telling fails until the file `open` is there."""
    return write_job(
        tmp_path,
        script("sync", "echo 17 rows; echo once >> trail"),
        script("tables", ["echo", "${{ item }} of ${{ steps.sync.stdout | trim }}"], foreach=["lime", "bird"]),
        script(
            "mail",
            '[ -e open ] && echo "$@"',
            args=["${{ steps.sync.stdout }}", "${{ steps.tables.results[1].stdout }}"],
        ),
        last_success={"default": "1970-01-01"},
    )


def test_a_run_is_taken_up_where_it_failed(prefect_server: PrefectServer, refused: Path) -> None:
    assert run(refused).returncode == 1
    again = run(refused, "--from", "mail")
    assert again.returncode == 1, "and once more: what was kept is still there"
    (refused.parent / "open").touch()
    taken_up = run(refused, "--from", "mail")
    assert taken_up.returncode == 0, taken_up.stdout
    assert re.search(rf"^\S+ sync +{KEPT}$", taken_up.stdout, re.MULTILINE)
    assert re.search(rf"^\S+ tables +{KEPT}$", taken_up.stdout, re.MULTILINE)
    assert "mail   | 17 rows bird of 17 rows" in taken_up.stdout
    assert (refused.parent / "trail").read_text() == "once\n"
    assert "last success of demo.job in staging: not this run, because `sync` was left out\n" in taken_up.stdout


def test_without_kept_results_it_is_as_if_there_were_none(prefect_server: PrefectServer, refused: Path) -> None:
    finished = run(refused, "--from", "mail")
    assert finished.returncode == 1
    assert "sync   not selected for this run\n" in finished.stdout
    kept_file(refused).write_text('{"steps": {"sync": "damaged"}}')
    assert "sync   not selected for this run\n" in run(refused, "--from", "mail").stdout


def test_no_secret_is_kept(prefect_server: PrefectServer, tmp_path: Path) -> None:
    spec = write_job(
        tmp_path,
        script("load", 'echo "$KEY"', env={"KEY": "${{ secrets.store.key }}"}),
        script("each", ["true"], foreach="${{ steps.load.stdout | lines }}"),
    )
    assert run(spec, FLOWMILL_SECRET_STORE='{"key": "osprey-4411"}').returncode == 0
    assert "***" in kept_file(spec).read_text()
    assert all(b"osprey" not in path.read_bytes() for path in (tmp_path / ".flowmill").rglob("*") if path.is_file())


def results(spec: Path) -> Results:
    from datetime import UTC, datetime

    return Results.of(plan_of(spec, "staging"), spec, datetime(2026, 11, 23, tzinfo=UTC))


def test_what_is_too_large_is_not_kept(tmp_path: Path) -> None:
    spec = write_job(tmp_path, script("small"), script("large"), script("last"))
    large = ProcessOutput(stdout="x" * CHARACTERS_AT_MOST)
    outcomes = {id: Outcome(id, State.SUCCESS, output=ProcessOutput(stdout=id)) for id in ("small", "last")}
    results(spec).keep(RunOutcome({**outcomes, "large": Outcome("large", State.SUCCESS, output=large)}, None))
    assert kept_file(spec).stat().st_size < 2000
    left_out = results(spec).left_out(frozenset(), discover())
    assert {id: outcome.fields()["stdout"] for id, outcome in left_out.items()} == {"small": "small", "last": "last"}


def test_results_of_another_type_and_of_skipped_steps_are_not_given(tmp_path: Path) -> None:
    spec = write_job(tmp_path, script("load"), script("count"))
    loaded = Outcome("load", State.SUCCESS, output=ProcessOutput(stdout="17"))
    counted = Outcome("count", State.SUCCESS, output=ProcessOutput(stdout="3"))
    results(spec).keep(RunOutcome({"load": loaded, "count": counted}, None))
    results(spec).keep(RunOutcome({"load": loaded, "count": Outcome("count", State.SKIPPED)}, None))
    assert set(results(spec).left_out(frozenset({"load"}), discover())) == set()
    assert set(results(spec).left_out(frozenset({"count"}), discover())) == {"load"}
    content: Any = json.loads(kept_file(spec).read_text())
    content["steps"]["load"]["output"] = {"stdout": ["no", "text"]}
    kept_file(spec).write_text(json.dumps(content))
    assert results(spec).left_out(frozenset({"count"}), discover()) == {}


def test_a_success_is_kept_on_this_machine_and_told(prefect_server: PrefectServer, tmp_path: Path) -> None:
    steps = [script("load", ["echo", "since", "${{ last_success.start }}"])]
    spec = write_job(tmp_path, *steps, last_success={"default": "1970-01-01"}, timezone="America/Chicago")
    first = run(spec)
    words = r"\(kept in \.flowmill/state/, local runs do not change the server's\)"
    told = re.search(rf"^last success of demo\.job in staging: (\S+) {words}$", first.stdout, re.MULTILINE)
    assert told, first.stdout
    assert "| since 1970-01-01T00:00:00-06:00" in first.stdout
    assert f"| since {told[1]}" in run(spec).stdout
    assert ServerTimes().read(name_of(plan_of(spec, "staging"))) is None


def test_an_allowed_failure_says_why_the_time_stays(prefect_server: PrefectServer, tmp_path: Path) -> None:
    steps = [script("load", "exit 3", continue_on_error=True)]
    finished = run(write_job(tmp_path, *steps, last_success={"default": "1970-01-01"}))
    assert finished.returncode == 0
    assert "last success of demo.job in staging: not this run, because `load` failed\n" in finished.stdout


def test_the_server_s_times_are_shown_and_set(prefect_server: PrefectServer, tmp_path: Path) -> None:
    spec = write_job(tmp_path, script("load"), last_success={"default": "1970-01-01"}, timezone="Europe/Berlin")
    plan = plan_of(spec, "staging")

    def state(*arguments: object, **environ: str) -> Finished:
        return flowmill("state", *arguments, "--on-server", cwd=tmp_path, **environ)

    done = state("set", spec, "2026-07-01", "--env", "staging")
    address = prefect_server.api_url
    assert done.stdout == (
        f"last success of demo.job in staging: 2026-07-01T00:00:00+02:00 (kept on the Prefect server at {address})\n"
    )
    assert state("show").stdout.splitlines()[1] == "demo.job  staging      2026-07-01T00:00:00+02:00  1970-01-01"
    assert (
        flowmill("state", "show", cwd=tmp_path).stdout.splitlines()[1]
        == "demo.job  staging      -             1970-01-01"
    )
    assert state("reset", spec, "--env", "staging").returncode == 0
    assert ServerTimes().read(name_of(plan)) is None
    silent = state("show", PREFECT_API_URL="http://127.0.0.1:9/api")
    assert (silent.returncode, silent.stdout) == (1, "")
    assert silent.stderr == "Error: the Prefect server at http://127.0.0.1:9/api cannot be asked (ConnectError)\n"
