"""`foreach` and `matrix` on a real Prefect server: a task run per element, with its own name, retries and state."""

from pathlib import Path
from typing import Any

import pytest

from flowmill.local.runtime import local_runtime
from flowmill.local.select import plan_of
from support.flows import Ran, read_run, run_plan, run_spec, script, write_job
from support.prefect_server import PrefectServer
from support.waiting import eventually

pytestmark = pytest.mark.prefect

TRACE = 'echo "begin $1" >> "$2"; sleep 0.3; echo "end $1" >> "$2"'


def run_elements(server: PrefectServer, spec: Path, names: set[str], **parameters: Any) -> Ran:
    """A run, read back once the task runs of these names have ended."""
    ran = run_spec(server, spec, **parameters)
    plan = plan_of(spec, "staging")

    def complete() -> Ran | None:
        again = read_run(server, ran.run.id, plan)
        return again if names <= again.named.keys() else None

    return eventually(complete)


def states(ran: Ran) -> dict[str, str | None]:
    return {name: task.state_name for name, task in sorted(ran.named.items())}


def test_each_element_has_its_own_name_state_and_retries(prefect_server: PrefectServer, tmp_path: Path) -> None:
    once = '[ "$1" != bird ] || [ -e "$2" ] || { touch "$2"; exit 1; }; [ "$1" != wheels ]'
    args = ["${{ item }}", str(tmp_path / "was-here")]
    load = script("load", once, args=args, foreach=["lime", "bird", "wheels"], retries=1, fail_fast=False)
    ran = run_elements(
        prefect_server,
        write_job(tmp_path, load, script("after"), script("tell", "true", **{"if": "failure()"})),
        {"load[lime]", "load[bird]", "load[wheels]"},
    )
    assert states(ran) == {
        "after": "Skipped",
        "load[bird]": "Completed",
        "load[lime]": "Completed",
        "load[wheels]": "Failed",
        "tell": "Completed",
    }
    assert {name: task.run_count for name, task in ran.named.items() if name.startswith("load")} == {
        "load[lime]": 1,
        "load[bird]": 2,
        "load[wheels]": 2,
    }
    assert ran.state.message == (
        "step `load` failed: 1 of 3 elements failed, first `load[wheels]`: the command failed with exit code 1; "
        "skipped: after"
    )


def test_elements_go_one_after_the_other_unless_told_otherwise(prefect_server: PrefectServer, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    args = ["${{ item }}", str(trace)]
    run_spec(prefect_server, write_job(tmp_path, script("load", TRACE, args=args, foreach=["a", "b", "c"])))
    assert trace.read_text().split("\n")[:-1] == [f"{word} {name}" for name in "abc" for word in ("begin", "end")]


def test_no_more_than_max_parallel_go_on_at_once(prefect_server: PrefectServer, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    args = ["${{ item }}", str(trace)]
    step = script("load", TRACE, args=args, foreach=[*"abcdef"], max_parallel=3)
    run_spec(prefect_server, write_job(tmp_path, step))
    going, most = 0, 0
    for line in trace.read_text().splitlines():
        going += 1 if line.startswith("begin") else -1
        most = max(most, going)
    assert most == 3


def test_after_a_failure_no_other_element_starts(prefect_server: PrefectServer, tmp_path: Path) -> None:
    step = script("load", '[ "$1" != b ]', args=["${{ item }}"], foreach=["a", "b", "c"])
    ran = run_elements(prefect_server, write_job(tmp_path, step), {"load[a]", "load[b]", "load[c]"})
    assert states(ran) == {"load[a]": "Completed", "load[b]": "Failed", "load[c]": "Skipped"}


def test_a_list_that_a_step_has_printed(prefect_server: PrefectServer, tmp_path: Path) -> None:
    spec = write_job(
        tmp_path,
        script("ask", """echo '[{"table": "trips", "rows": 2}, {"table": "stops", "rows": 3}]'"""),
        script(
            "load",
            ["echo", "${{ item.table }} has ${{ item.rows }}"],
            foreach="${{ steps.ask.stdout | parse_json }}",
            name="load ${{ item.table }}",
        ),
        script("sum", ["echo", "${{ steps.load.results[1].stdout }}; ${{ steps.load.results | length }}"]),
    )
    ran = run_elements(prefect_server, spec, {"load trips", "load stops"})
    assert states(ran) == dict.fromkeys(("ask", "load trips", "load stops", "sum"), "Completed")
    assert "stops has 3; 2" in ran.lines("sum")
    assert ran.edges()["sum"] == {"load trips", "load stops"}


def test_a_parameter_that_is_a_list(prefect_server: PrefectServer, tmp_path: Path) -> None:
    step = script("load", ["echo", "${{ item }}"], foreach="${{ parameters.tables }}")
    spec = write_job(tmp_path, step, parameters={"tables": {"type": "list", "default": ["trips"]}})
    plan = plan_of(spec, "staging")
    ran = run_plan(prefect_server, plan, local_runtime(spec), tables=["stops", "lines"])
    named = eventually(lambda: set(read_run(prefect_server, ran.run.id, plan).named) or None)
    assert named == {"load[stops]", "load[lines]"}


def test_an_empty_list_is_a_success_that_says_so(prefect_server: PrefectServer, tmp_path: Path) -> None:
    load = script("load", "exit 1", foreach="${{ steps.ask.stdout | lines }}")
    ran = run_elements(prefect_server, write_job(tmp_path, script("ask"), load, script("after")), {"load"})
    assert ran.states() == {"ask": "Completed", "load": "Completed", "after": "Completed"}
    assert ran.message("load") == "nothing to do: the list is empty"


def test_what_is_no_list_fails_the_step_and_says_how_to_make_one(prefect_server: PrefectServer, tmp_path: Path) -> None:
    load = script("load", foreach="${{ steps.ask.stdout }}", retries=3)
    ran = run_elements(prefect_server, write_job(tmp_path, script("ask", "echo a"), load), {"load"})
    assert ran.message("load") == (
        "`foreach` gives a text, but must give a list; a text becomes one with `| lines`, `| split(',')` or "
        "`| parse_json`"
    )
    assert ran.tasks["load"].run_count == 1


def test_a_matrix_is_the_product_of_its_lists(prefect_server: PrefectServer, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    step = script(
        "load",
        'echo "$1 $2" >> "$3"',
        args=["${{ matrix.year }}", "${{ matrix.table }}", str(trace)],
        matrix={"year": [2025, 2026], "table": ["trips", "stops"]},
    )
    names = {f"load[{year}, {table}]" for year in (2025, 2026) for table in ("trips", "stops")}
    ran = run_elements(prefect_server, write_job(tmp_path, step), names)
    assert set(ran.named) == names
    assert trace.read_text().splitlines() == ["2025 trips", "2025 stops", "2026 trips", "2026 stops"]


def test_a_message_of_each_element_has_an_id_of_its_own(prefect_server: PrefectServer, tmp_path: Path) -> None:
    mail = {"id": "mail", "type": "email", "to": "${{ item }}", "subject": "s", "text": "t", "from": "a@example.org"}
    people = ["b@example.org", "c@example.org"]
    spec = write_job(tmp_path, {**mail, "smtp": "${{ secrets.mail }}", "foreach": people})
    run_plan(prefect_server, plan_of(spec, "staging"), local_runtime(spec, tmp_path / "outbox"))
    texts = [path.read_text() for path in sorted((tmp_path / "outbox").iterdir())]
    ids = {line for text in texts for line in text.splitlines() if line.startswith("Message-ID")}
    assert len(texts) == len(ids) == 2
