"""A worked case: a bot that answers what a harbour is asked for, every three minutes and one run at a time.

One spec for two environments. Each answer is a container, whose image's tag is a parameter, whose settings are
a secret of JSON text, and which has a minute. It runs on a real engine, from a real registry, by a real worker.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from docker.models.containers import Container
from prefect.blocks.system import Secret
from prefect.client.schemas.objects import StateType
from prefect.states import Cancelling

import support.engine
from flowmill.local.select import plan_of
from flowmill.pipeline import compile_workspace
from support.engine import IMAGE, Engine, ImageRegistry
from support.flows import flowmill, read_run
from support.prefect_server import PrefectServer
from support.service_bot import write_bot
from support.waiting import eventually
from support.worker import Deployed, deploy, work_pool, worker

pytestmark = [pytest.mark.prefect, pytest.mark.docker]
engine = support.engine.engine
registry = support.engine.registry

SETTINGS = {"PILOTS": 14, "DRAUGHT": 7.5, "GREETING": "ahoy"}
SHOWN = ["sh", "-c", "echo $PILOTS/$DRAUGHT/$GREETING"]
SLEEPS = ["sleep", "${{ parameters.seconds }}"]


def write_sleeper(folder: Path, minute: str = "60s") -> Path:
    """The bot with a container that takes as long as a parameter says."""
    name, tag = IMAGE.split(":")
    return write_bot(folder, name, "never", SLEEPS, **{"timeout: 60s": f"timeout: {minute}", "calm": f'"{tag}"'})


@pytest.fixture(autouse=True)
def settings(request: pytest.FixtureRequest) -> None:
    if "prefect_server" in request.fixturenames:
        for environment in ("staging", "production"):
            Secret(value=json.dumps(SETTINGS)).save(f"harbour-bot-{environment}", overwrite=True)


@contextmanager
def served(server: PrefectServer, spec: Path, environment: str = "staging") -> Iterator[Deployed]:
    """The bot with its pool, its queue of one at a time, and a worker that looks into it."""
    with work_pool(server, "quay-01"):
        with server.client() as client:
            client.create_work_queue(f"{environment}-single-file", concurrency_limit=1, work_pool_name="quay-01")
        deployed = deploy(server, spec, environment)
        with worker(deployed, spec.parents[1]):
            yield deployed


def containers(engine: Engine, run: UUID) -> list[Container]:
    return engine.client.containers.list(all=True, ignore_removed=True, filters={"label": f"flowmill.run={run}"})


def until_sleeping(engine: Engine, run: UUID) -> None:
    eventually(lambda: [it for it in containers(engine, run) if it.status == "running"])


def test_one_spec_differs_between_its_environments_only_in_its_schedule(
    prefect_server: PrefectServer, tmp_path: Path
) -> None:
    spec = write_bot(tmp_path, "harbour/bot", "always", SHOWN)
    with work_pool(prefect_server, "quay-01"):
        read = {name: deploy(prefect_server, spec, name).read() for name in ("staging", "production")}
    assert {name: [it.active for it in its.schedules] for name, its in read.items()} == {
        "staging": [False],
        "production": [True],
    }
    assert {name: its.work_queue_name for name, its in read.items()} == {
        "staging": "staging-single-file",
        "production": "production-single-file",
    }
    schedules = {(it.schedule.cron, it.schedule.timezone) for its in read.values() for it in its.schedules}
    assert schedules == {(",".join(map(str, range(0, 60, 3))) + " * * * *", "Europe/Lisbon")}
    assert {its.global_concurrency_limit.limit for its in read.values() if its.global_concurrency_limit} == {1}


def test_a_run_by_hand_may_have_another_tag(
    prefect_server: PrefectServer, tmp_path: Path, engine: Engine, registry: ImageRegistry
) -> None:
    """The tag is used for the pull and for the run alike, and nothing of a schedule is needed."""
    spec = write_bot(tmp_path, registry.image("x").removesuffix(":x"), "always", SHOWN)
    with served(prefect_server, spec) as deployed:
        runs = [deployed.run_by_hand(), deployed.run_by_hand(tag="storm")]
        assert [deployed.ended(run).name for run in runs] == ["Completed"] * 2
        logs = [read_run(prefect_server, run, deployed.plan) for run in runs]
    assert sorted(registry.pulls) == ["calm", "storm"]
    assert [ran.run.name for ran in logs] == ["answers with calm", "answers with storm"]
    assert all(containers(engine, run) == [] for run in runs)


def run_with(folder: Path, secret: dict[str, Any]) -> str:
    """What a run prints whose container looks at its settings: it could not show them, since they are masked."""
    compare = ["sh", "-c", 'test "$PILOTS $DRAUGHT $GREETING" = "14 7.5 ahoy" && echo all as set']
    name, tag = IMAGE.split(":")
    spec = write_bot(folder, name, "never", compare, calm=f'"{tag}"')
    Secret(value=json.dumps(secret)).save("harbour-bot-staging", overwrite=True)
    return flowmill("run", spec, cwd=folder).stdout


def test_numbers_in_the_settings_are_passed_as_text(
    prefect_server: PrefectServer, tmp_path: Path, engine: Engine
) -> None:
    assert "| all as set\n" in run_with(tmp_path, SETTINGS)


def test_null_in_the_settings_is_refused_by_its_name(
    prefect_server: PrefectServer, tmp_path: Path, engine: Engine
) -> None:
    printed = run_with(tmp_path, {**SETTINGS, "DRAUGHT": None})
    assert "run failed" in printed
    assert "`DRAUGHT`" in printed
    assert "ahoy" not in printed


def test_a_container_that_hangs_is_ended_and_the_next_run_can_start(
    prefect_server: PrefectServer, tmp_path: Path, engine: Engine
) -> None:
    spec = write_sleeper(tmp_path, minute="3s")
    assert plan_of(write_sleeper(tmp_path / "as-written"), "production").steps[0].timeout == 60
    with served(prefect_server, spec) as deployed:
        hanging, next_one = deployed.run_by_hand(seconds="600"), deployed.run_by_hand()
        states = deployed.ended(hanging), deployed.ended(next_one)
    assert [state.name for state in states] == ["TimedOut", "Completed"]
    assert "timed out after 3s" in states[0].message
    assert containers(engine, hanging) == containers(engine, next_one) == []


def test_cancelling_a_run_ends_its_container(prefect_server: PrefectServer, tmp_path: Path, engine: Engine) -> None:
    with served(prefect_server, write_sleeper(tmp_path)) as deployed:
        run = deployed.run_by_hand(seconds="600")
        until_sleeping(engine, run)
        with prefect_server.client() as client:
            client.set_flow_run_state(run, Cancelling())
        assert deployed.ended(run).type is StateType.CANCELLED
        eventually(lambda: containers(engine, run) == [])
        assert deployed.ended(deployed.run_by_hand()).name == "Completed"


BREAKERS = [
    pytest.param({"single-file": "singel-file"}, "unknown-queue", "did you mean `single-file`?", id="unknown queue"),
    pytest.param({"  tag: {": "  image tag: {"}, "bad-parameter", "use lower-case letters", id="space in a name"),
    pytest.param({", default: calm": ""}, "required-parameter", "give it a `default`", id="no value for a schedule"),
]


@pytest.mark.parametrize(("change", "code", "hint"), BREAKERS)
def test_what_would_break_it_is_found_before(tmp_path: Path, change: dict[str, str], code: str, hint: str) -> None:
    write_bot(tmp_path, "harbour/bot", "always", SHOWN, **change)
    found = {it.code: it for it in compile_workspace(tmp_path).diagnostics}
    assert code in found
    assert hint in found[code].hint
