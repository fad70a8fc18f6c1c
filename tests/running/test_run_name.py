"""`run_name`: what a run is called on the server."""

from pathlib import Path

import pytest

from flowmill.backend.flow import build_flow
from flowmill.local.runtime import local_runtime
from flowmill.local.select import plan_of
from support.flows import Ran, flowmill, run_flow, run_id, run_spec, script, write_job
from support.prefect_server import PrefectServer

pytestmark = pytest.mark.prefect


def named(server: PrefectServer, folder: Path, name: str, **parameters: str) -> Ran:
    spec = write_job(folder, script("work"), run_name=name, parameters={"shop": {"type": "string", "default": "north"}})
    return run_spec(server, spec, **parameters)


def test_a_run_is_called_by_its_values(prefect_server: PrefectServer, tmp_path: Path) -> None:
    ran = named(prefect_server, tmp_path, "${{ parameters.shop }} in ${{ environment }}, ${{ run.start | date }}")
    assert ran.run.start_time
    assert ran.run.name == f"north in staging, {ran.run.start_time:%Y-%m-%d}"


def test_a_name_is_one_line_of_bounded_length(prefect_server: PrefectServer, tmp_path: Path) -> None:
    ran = named(prefect_server, tmp_path, "of ${{ parameters.shop }}", shop="a\nb\t{c}" + "x" * 300)
    assert ran.run.name.startswith("of a b {c}xxx")
    assert len(ran.run.name) == 200


def test_a_name_that_has_no_value_leaves_prefects(prefect_server: PrefectServer, tmp_path: Path) -> None:
    ran = named(prefect_server, tmp_path, "of ${{ (parameters.shop | parse_json).name }}", shop="{}")
    assert ran.state.name == "Completed"
    assert "of" not in ran.run.name.split()
    assert "the run keeps its random name: `run_name`: " in ran.text()


def test_a_flow_without_one_asks_nothing(prefect_server: PrefectServer, tmp_path: Path) -> None:
    spec = write_job(tmp_path, script("work"))
    plan = plan_of(spec, "staging")
    ran = run_flow(prefect_server, build_flow(plan, local_runtime(spec)), plan)
    assert ran.run.name
    assert "name" not in ran.text()


def test_the_command_shows_it_in_its_first_line(prefect_server: PrefectServer, tmp_path: Path) -> None:
    spec = write_job(tmp_path, script("work"), run_name="work of ${{ run.start.year }}")
    output = flowmill("run", spec, cwd=tmp_path).stdout
    with prefect_server.client() as client:
        run = client.read_flow_run(run_id(output))
    assert run.name.startswith("work of 20")
    assert output.startswith(f"demo.job in staging (`{run.name}`), run {run.id}\n")
