"""A worked case: every hour three containers fetch, load and publish the trips of one scooter provider."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from flowmill.backend.flow import build_flow
from flowmill.local.select import plan_of
from flowmill.pipeline import compile_workspace
from flowmill.planning.plan import Plan, StepPlan
from flowmill.running.runtime import Runtime
from support.flows import DictSecrets, Finished, Ran, flowmill, run_again, run_flow, run_plan, write_workspace
from support.prefect_server import PrefectServer
from support.recording import Containers
from support.slack import Reply, SlackEndpoint, slack_endpoint
from support.waiting import PATIENCE

SPEC = """\
project: scooters
description: Trips of one provider, an hour at a time
environment: [staging, production]
server: etl-01
cron: "15 * * * *"
vars: {provider: heron}
env_from: scooters_config_${{ environment }}
defaults:
  docker:
    image: acme/etl:${{ environment }}
    working_dir: /app
    retry_delay: 5m
steps:
  - id: extract
    type: docker
    command: <extract>
    retries: 1
  - id: load
    type: docker
    command: <load>
    retries: 3
  - id: publish
    type: docker
    command: <publish>
    retries: 3
on_failure:
  - type: slack
    webhook: ${{ secrets.slack.url }}
    request_timeout: 3s
    text: |
      ${{ flow.name }} in ${{ environment }} failed at ${{ failure.step }} (exit code ${{ failure.exit_code }})
      ${{ failure.output }}
"""
COMMAND = (
    "python {file}.py --provider ${{{{ vars.provider }}}} --time-max "
    "\"${{{{ (run.start - days(1)) | date('%Y-%-m-%-d-%-H') }}}}\" --interval 1"
)
PASSWORD = "kestrel-57-lantern"
EARLY, LATE = datetime(2026, 4, 3, 7, 59, tzinfo=UTC), datetime(2026, 4, 3, 8, 4, tzinfo=UTC)
PROVIDERS = ("heron", "magpie", "wren", "curlew", "dunlin", "plover")


def text_of(provider: str) -> str:
    text = SPEC.replace("heron", provider)
    for step in ("extract", "load", "publish"):
        text = text.replace(f"<{step}>", COMMAND.format(file=step))
    return text


def write_specs(folder: Path, *providers: str) -> Path:
    return write_workspace(folder, {f"scooters/{name}.yaml": text_of(name) for name in providers})


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    return write_specs(tmp_path, "heron") / "scooters/heron.yaml"


class Clock:
    """Stands still until it is set."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def slack() -> Iterator[SlackEndpoint]:
    with slack_endpoint() as endpoint:
        yield endpoint


def runtime(
    spec: Path, containers: Containers, slack: SlackEndpoint | None = None, clock: Clock | None = None
) -> Runtime:
    config = {"DATABASE": "warehouse", "PASSWORD": PASSWORD}
    secrets = {"scooters_config_staging": config, "slack": {"url": slack.webhook if slack else ""}}
    return Runtime(spec.parent, containers.registry(), DictSecrets(secrets), clock=clock)


def impatient(plan: Plan) -> Plan:
    """The plan without its waits."""

    def hurried(step: StepPlan) -> StepPlan:
        return replace(step, retry_delays=tuple(0.0 for _ in step.retry_delays))

    return replace(plan, steps=tuple(map(hurried, plan.steps)))


def run(server: PrefectServer, spec: Path, services: Runtime) -> Ran:
    return run_plan(server, impatient(plan_of(spec, "staging")), services)


def leaves(value: Any, path: str = "") -> dict[str, Any]:
    """Every value of a nested one that is no map or list, by its path."""
    if not isinstance(value, dict | list):
        return {path: value}
    items = value.items() if isinstance(value, dict) else enumerate(value)
    return {name: leaf for key, item in items for name, leaf in leaves(item, f"{path}/{key}").items()}


def test_the_plans_of_the_environments_differ_in_names_only(spec: Path) -> None:
    staging, production = (leaves(json.loads(plan_of(spec, name).to_json())) for name in ("staging", "production"))
    differing = {path for path in staging if staging[path] != production[path]}
    steps = range(3)
    assert differing == {
        "/environment",
        "/constants/environment",
        "/on_failure/0/config/text",
        *(f"/steps/{step}/config/image" for step in steps),
        *(f"/steps/{step}/env_from/0" for step in steps),
    }
    assert {path: str(value).replace("staging", "production") for path, value in staging.items()} == {
        path: str(value) for path, value in production.items()
    }
    assert staging["/server"] == production["/server"] == "etl-01"


def test_the_plan_holds_the_waits_and_the_schedule(spec: Path) -> None:
    plan = plan_of(spec, "production")
    assert [step.retry_delays for step in plan.steps] == [(300.0,), (300.0,) * 3, (300.0,) * 3]
    assert [(schedule.cron, schedule.timezone) for schedule in plan.schedules] == [("15 * * * *", "UTC")]
    assert [step.needs for step in plan.steps] == [(), ("extract",), ("load",)]


def test_compiling_reads_no_secret_and_reaches_nothing(spec: Path) -> None:
    (spec.parents[1] / ".flowmill").mkdir()
    (spec.parents[1] / ".flowmill/secrets.yaml").write_text(f"scooters_config_staging: {{A: {PASSWORD}}}\n")
    once, again = compiled_under_watch(spec), compiled_under_watch(spec)
    assert (once.returncode, once.stderr) == (0, "")
    assert [plan["environment"] for plan in json.loads(once.stdout)] == ["production", "staging"]
    assert once.stdout == again.stdout
    assert not re.search(r"\d{4}-\d", once.stdout)
    assert PASSWORD not in once.stdout


WATCHED = """
import sys
REACHING = ("socket.", "subprocess.", "os.exec", "os.posix_spawn", "os.fork", "os.system")
def hook(event, arguments):
    if event.startswith(REACHING) or event == "open" and "secrets.yaml" in str(arguments[0]):
        sys.stderr.write(f"{event} {arguments}\\n")
sys.addaudithook(hook)
from flowmill.cli import main
main()
"""
"""Python tells the hook of every connection, process and file; nothing gets around it."""


def compiled_under_watch(spec: Path) -> Finished:
    """`flowmill compile` in a process that reports what it reaches for."""
    command = [sys.executable, "-c", WATCHED, "compile", str(spec)]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)


@pytest.mark.prefect
def test_one_hour_for_all_steps_also_when_a_later_one_is_retried(prefect_server: PrefectServer, spec: Path) -> None:
    clock = Clock(EARLY)
    containers = Containers({"publish": 1}, after=lambda step: setattr(clock, "now", LATE))
    ran = run(prefect_server, spec, runtime(spec, containers, clock=clock))
    assert containers.steps() == ["extract", "load", "publish", "publish"]
    assert containers.argument_after("--time-max") == ["2026-4-2-7"] * 4
    assert ran.state.is_completed()


@pytest.mark.prefect
def test_each_container_gets_the_exact_command_and_the_whole_secret(prefect_server: PrefectServer, spec: Path) -> None:
    containers = Containers()
    run(prefect_server, spec, runtime(spec, containers, clock=Clock(EARLY)))
    for call in containers.calls:
        options = ["--provider", "heron", "--time-max", "2026-4-2-7", "--interval", "1"]
        assert call.command == ["python", f"{call.step}.py", *options]
        assert (call.image, call.working_dir) == ("acme/etl:staging", "/app")
        assert call.environ == {"DATABASE": "warehouse", "PASSWORD": PASSWORD}


@pytest.mark.prefect
def test_a_retry_of_the_whole_run_keeps_the_hour(
    prefect_server: PrefectServer, spec: Path, slack: SlackEndpoint
) -> None:
    clock = Clock(EARLY)
    containers = Containers({"publish": 4}, after=lambda step: setattr(clock, "now", LATE))
    plan = impatient(plan_of(spec, "staging"))
    flow = build_flow(plan, runtime(spec, containers, slack, clock))
    failed = run_flow(prefect_server, flow, plan)
    retried = run_again(prefect_server, failed, flow, plan)
    assert (failed.state.name, retried.state.name) == ("Failed", "Completed")
    assert containers.steps()[-1] == "publish"
    assert set(containers.argument_after("--time-max")) == {"2026-4-2-7"}


@pytest.mark.prefect
def test_a_first_step_that_fails_for_good_tells_slack_once(
    prefect_server: PrefectServer, spec: Path, slack: SlackEndpoint
) -> None:
    output = f"fetching heron\nlogin with {PASSWORD} refused\nno trips"
    containers = Containers({"extract": 2}, prints=output)
    ran = run(prefect_server, spec, runtime(spec, containers, slack, Clock(EARLY)))
    assert containers.steps() == ["extract", "extract"]
    assert ran.state.name == "Failed"
    assert ran.states() == {
        "extract": "Failed",
        "load": "Skipped",
        "publish": "Skipped",
        "on_failure_1": "Completed",
    }
    (request,) = slack.requests
    first, *rest = request.json()["text"].strip().splitlines()
    assert first == "scooters.heron in staging failed at extract (exit code 3)"
    assert rest == ["fetching heron", "login with *** refused", "no trips"]
    assert PASSWORD not in ran.text() + request.body.decode()


@pytest.mark.prefect
def test_when_slack_answers_500_the_run_ends_as_it_would_have(prefect_server: PrefectServer, spec: Path) -> None:
    with slack_endpoint(Reply(500, b"our fault")) as slack:
        ran = run(prefect_server, spec, runtime(spec, Containers({"load": 4}), slack))
    assert (ran.state.name, ran.state.message) == (
        "Failed",
        "step `load` failed: the container ended with exit code 3; skipped: publish",
    )
    assert ran.states()["on_failure_1"] == "Failed"
    assert any("500" in line for line in ran.lines("on_failure_1"))
    assert slack.webhook not in ran.text()


def test_six_providers_are_six_flows_that_differ_in_the_name(tmp_path: Path) -> None:
    compiled = compile_workspace(write_specs(tmp_path, *PROVIDERS))
    assert not compiled.diagnostics
    assert set(compiled.plans) == {
        (f"scooters.{name}", environment) for name in PROVIDERS for environment in ("staging", "production")
    }
    texts = {
        plan.to_json().replace(plan.flow, "heron") for plan in compiled.plans.values() if plan.environment == "staging"
    }
    assert len(texts) == 1


def test_two_flows_of_one_name_are_refused(spec: Path) -> None:
    twin = spec.with_suffix(".yml")
    twin.write_text(spec.read_text())
    validated = flowmill("validate", cwd=spec.parents[1])
    assert validated.returncode == 1
    assert "scooters/heron.yml:1:1: there are two flows `scooters.heron` [duplicate-flow]" in validated.stdout
    assert "scooters/heron.yaml" in validated.stdout


BREAKERS = {
    "environment": ("[staging, production]", "[staging, prod]", 3, "there is no environment `prod`", "production"),
    "six-fields": ('"15 * * * *"', '"0 15 * * * *"', 5, "expected five", ""),
    "server": ("etl-01", "etl01", 4, "there is no server `etl01`", "did you mean `etl-01`?"),
    "key": ("    retries: 1", "    retrys: 1", 17, "unknown key `retrys`", "did you mean `retries`?"),
    "name": ("vars.provider", "vars.provder", 16, "`vars` has no `provder`", "did you mean `provider`?"),
}


@pytest.mark.parametrize(("old", "new", "line", "message", "hint"), BREAKERS.values(), ids=list(BREAKERS))
def test_one_wrong_line_is_refused_with_its_place(
    spec: Path, old: str, new: str, line: int, message: str, hint: str
) -> None:
    spec.write_text(spec.read_text().replace(old, new, 1))
    validated = flowmill("validate", "scooters/heron.yaml", cwd=spec.parents[1])
    assert validated.returncode == 1
    problem = validated.stdout.splitlines()[0]
    assert problem.startswith(f"scooters/heron.yaml:{line}:")
    assert message in problem
    assert hint in validated.stdout
