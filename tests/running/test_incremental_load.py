"""A worked case: once a day four containers load what has changed since the last run that succeeded.

What the containers are told on which day is in specs/streets/work_orders.test.yaml; here is what needs a real
server and the store on it.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from prefect.blocks.system import Secret

from flowmill.backend.blocks import BlockSecrets
from flowmill.backend.success_times import ServerTimes
from flowmill.local.select import plan_of
from flowmill.planning.plan import Plan, StepPlan
from flowmill.running.runtime import Runtime
from flowmill.running.success_times import name_of
from support.flows import Ran, flowmill, run_plan
from support.prefect_server import PrefectServer
from support.recording import Containers

SPECS = Path(__file__).parents[2] / "specs"
SPEC = SPECS / "streets/work_orders.yaml"
STEPS = ["database", "map", "portal", "lines"]
CHICAGO = ZoneInfo("America/Chicago")
SERVICES = {
    "signs": {"APP_KEY": "heron-of-the-signs"},
    "assets": {"APP_KEY": "heron-of-the-assets"},
}
Run = Callable[..., Ran]


def day(number: int, clock: str = "07:05") -> datetime:
    return datetime.fromisoformat(f"2026-04-{number:02}T{clock}").replace(tzinfo=CHICAGO)


class Clock:
    """Stands still until it is set."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def impatient(plan: Plan) -> Plan:
    """The plan without its waits."""

    def hurried(step: StepPlan) -> StepPlan:
        return replace(step, retry_delays=tuple(0.0 for _ in step.retry_delays))

    return replace(plan, steps=tuple(map(hurried, plan.steps)))


@pytest.fixture
def store(prefect_server: PrefectServer) -> ServerTimes:
    """The store of the server, which has forgotten the flow."""
    state = ServerTimes()
    for environment in ("staging", "production"):
        state.reset(name_of(plan_of(SPEC, environment)))
    return state


@pytest.fixture
def run(prefect_server: PrefectServer, store: ServerTimes, tmp_path: Path) -> Run:
    """Runs the flow that ships, with containers that are only recorded and a secret in a block of the server."""
    Secret(value=SERVICES).save("streets-services", overwrite=True)

    def run_it(containers: Containers, clock: Clock, environment: str = "staging", spec: Path = SPEC) -> Ran:
        services = Runtime(
            spec.parent, containers.registry(), BlockSecrets(), tmp_path / "outbox", clock, successes=store
        )
        return run_plan(prefect_server, impatient(plan_of(spec, environment)), services)

    return run_it


def kept(store: ServerTimes, environment: str = "staging") -> datetime | None:
    return store.read(name_of(plan_of(SPEC, environment)))


def test_the_plan_holds_the_waits_and_the_schedule() -> None:
    plan = plan_of(SPEC, "production")
    assert [step.retry_delays for step in plan.steps] == [(300.0,)] * 4
    assert [step.config["pull_retry_delay"] for step in plan.steps] == [300] * 4
    assert [(schedule.cron, schedule.timezone) for schedule in plan.schedules] == [("5 7 * * *", "America/Chicago")]


@pytest.mark.prefect
def test_a_retry_of_the_third_runs_the_third_only_and_the_start_is_kept_when_it_is_over(
    store: ServerTimes, run: Run
) -> None:
    clock = Clock(day(3, "23:58"))
    run(Containers(), Clock(day(2)))
    containers = Containers({"portal": 1}, after=lambda step: setattr(clock, "now", day(4, "00:03")))
    ran = run(containers, clock)
    assert ran.state.is_completed(), ran.text()
    assert containers.steps() == ["database", "map", "portal", "portal", "lines"]
    assert containers.argument_after("-d") == ["2026-04-02"] * 5
    assert kept(store) == day(3, "23:58")


@pytest.mark.prefect
def test_when_the_third_fails_for_good_the_date_stays_and_the_next_run_uses_it(store: ServerTimes, run: Run) -> None:
    run(Containers(), Clock(day(2)))
    failing, next_day = Containers({"portal": 2}), Containers()
    failed = run(failing, Clock(day(3)))
    assert (failed.state.name, failed.states()["lines"]) == ("Failed", "Skipped")
    assert failing.argument_after("-d") == ["2026-04-02"] * 4
    assert kept(store) == day(2)
    run(next_day, Clock(day(4)))
    assert next_day.steps() == STEPS
    assert next_day.argument_after("-d") == ["2026-04-02"] * 4
    assert kept(store) == day(4)


@pytest.mark.prefect
def test_containers_that_print_nothing_have_succeeded(store: ServerTimes, run: Run) -> None:
    containers = Containers(prints="")
    ran = run(containers, Clock(day(2)))
    assert ran.states() == dict.fromkeys(STEPS, "Completed")
    assert containers.argument_after("-d") == ["1970-01-01"] * 4
    assert kept(store) == day(2)


@pytest.mark.prefect
def test_staging_and_production_keep_dates_of_their_own(store: ServerTimes, run: Run) -> None:
    run(Containers(), Clock(day(2)), "staging")
    production = Containers()
    run(production, Clock(day(3)), "production")
    assert production.argument_after("-d") == ["1970-01-01"] * 4
    assert (kept(store, "staging"), kept(store, "production")) == (day(2), day(3))


@pytest.mark.prefect
def test_the_secret_is_only_read(prefect_server: PrefectServer, run: Run) -> None:
    def as_kept() -> Any:
        with prefect_server.client() as client:
            block = client.read_block_document_by_name("streets-services", "secret")
        return block.updated, block.data

    before = as_kept()
    containers = Containers()
    ran = run(containers, Clock(day(2)))
    assert as_kept() == before
    assert [call.environ for call in containers.calls] == [SERVICES["signs"]] * 4
    assert "heron-of-the-signs" not in ran.text()


@pytest.mark.prefect
def test_the_date_may_stand_in_the_name_of_an_image(run: Run, tmp_path: Path) -> None:
    image = "    image: registry.example.org/streets/etl:${{ last_success.start | date('%Y%m%d') }}\n"
    spec = changed(tmp_path, "    command: [python, to_map.py", f"{image}    command: [python, to_map.py")
    containers = Containers()
    run(Containers(), Clock(day(2)))
    run(containers, Clock(day(3)), spec=spec)
    assert [call.image.rpartition(":")[2] for call in containers.calls] == ["latest", "20260402", "latest", "latest"]


BREAKERS = {
    "no-default": ("{default: 1970-01-01}", "{}", 7, "missing key `default`", "a date or time, or an expression"),
    "no-time": ("1970-01-01}", "never}", 7, "expected a date or a time", "such as `2026-01-31`"),
    "key": ("1970-01-01}", "1970-01-01, key: orders}", 7, "unknown key `key`", "no two flows can share it"),
    "not-kept": ("last_success: {default: 1970-01-01}\n", "", 10, "does not keep the time", "add `last_success:"),
}


@pytest.mark.parametrize(("old", "new", "line", "message", "hint"), BREAKERS.values(), ids=list(BREAKERS))
def test_one_wrong_line_is_refused_with_its_place(
    tmp_path: Path, old: str, new: str, line: int, message: str, hint: str
) -> None:
    validated = flowmill("validate", changed(tmp_path, old, new), cwd=tmp_path)
    assert validated.returncode == 1
    problem = validated.stdout.splitlines()[0]
    assert problem.startswith(f"streets/work_orders.yaml:{line}:")
    assert message in problem
    assert hint in validated.stdout


def changed(folder: Path, old: str, new: str) -> Path:
    """The flow in a workspace of its own, with one thing in it changed."""
    for name in ("flowmill.yaml", "streets/project.yaml", "streets/work_orders.yaml"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text((SPECS / name).read_text())
    spec = folder / "streets/work_orders.yaml"
    assert old in spec.read_text()
    spec.write_text(spec.read_text().replace(old, new, 1))
    return spec
