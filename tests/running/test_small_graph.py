"""A worked case: nine containers with two identities, five of them exports from a database that stands one at a time.

The flow is the one that ships, specs/finance/publishing.yaml. Only its image is another, in which a few lines of
shell stand in for the programs: they keep their environment and when they ran, and fail where they are told to.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

import support.engine
from flowmill.backend.mutex import with_mutexes
from flowmill.local.select import plan_of
from flowmill.running.runtime import Runtime
from flowmill_tasks.registry import discover
from support.engine import IMAGE, Engine
from support.flows import DictSecrets, Ran, run_plan, write_workspace
from support.prefect_server import PrefectServer
from support.slack import slack_endpoint

pytestmark = [pytest.mark.prefect, pytest.mark.docker]
engine = support.engine.engine

SPECS = Path(__file__).parents[2] / "specs"
PROGRAM = """
what="$0 $*"
env > "/trail/$what"
case "$1" in export.py) echo begin >> /trail/exports;; esac
sleep 0.2
case "$1" in export.py) echo end >> /trail/exports;; esac
! grep -qxF "$what" /trail/failing
"""
"""What every container runs; its arguments are the command of the step."""

COMMANDS = {
    "orders": "python export.py orders",
    "orders_to_assets": "python push.py orders --to assets",
    "orders_to_purchasing": "python push.py orders --to purchasing",
    "units": "python export.py units",
    "units_to_assets": "python push.py units --to assets",
    "objects": "python export.py objects",
    "agreements": "python export.py agreements",
    "funds": "python export.py funds",
    "portal": "python publish.py",
}
SECRETS = {
    "warehouse": {"WAREHOUSE_URL": "warehouse.example.org", "WAREHOUSE_KEY": "sandpiper-31"},
    "purchasing": {"PURCHASING_KEY": "oystercatcher-8"},
}
OF_ANY_CONTAINER = {"PATH", "HOSTNAME", "HOME", "PWD", "SHLVL", "FLOWMILL_RESULT"}


@dataclass(frozen=True)
class Graph:
    """A run of the flow, and what its containers and Slack have got of it."""

    ran: Ran
    trail: Path
    told: list[str]

    def environ(self, step: str) -> dict[str, str]:
        """What a step's container has found in its environment, besides what each container has."""
        lines = (self.trail / COMMANDS[step]).read_text().splitlines()
        variables = dict(line.split("=", 1) for line in lines)
        return {name: value for name, value in variables.items() if name not in OF_ANY_CONTAINER}

    def started(self) -> set[str]:
        return {step for step, command in COMMANDS.items() if (self.trail / command).exists()}

    def not_completed(self) -> dict[str, tuple[str | None, str]]:
        """The state of each step that is not Completed, and what it says."""
        states = {step: self.ran.states()[step] for step in COMMANDS}
        return {step: (state, self.ran.message(step)) for step, state in states.items() if state != "Completed"}


def write_copy(folder: Path) -> Path:
    """The flow with the image of the tests, without waits, and its workspace."""
    files = {name: (SPECS / name).read_text() for name in ("finance/project.yaml", "finance/publishing.yaml")}
    stand_in = f"    pull: never\n    entrypoint: [sh, -c, {json.dumps(PROGRAM)}]\n    volumes: ['./trail:/trail']\n"
    changed = files["finance/project.yaml"].replace("registry.example.org/finance/ledger:stable", IMAGE)
    changed = changed.replace("  docker:\n", f"  docker:\n{stand_in}").replace("retry_delay: 5m", "retry_delay: 0s")
    write_workspace(folder, {**files, "finance/project.yaml": changed}, (SPECS / "flowmill.yaml").read_text())
    return folder / "finance/publishing.yaml"


def run(server: PrefectServer, folder: Path, failing: Iterable[str] = ()) -> Graph:
    """Run the flow on the server and on the engine, with programs of these steps that fail."""
    spec = write_copy(folder)
    trail = spec.parent / "trail"
    trail.mkdir()
    (trail / "failing").write_text("".join(f"{COMMANDS[step]}\n" for step in failing))
    with slack_endpoint() as slack:
        secrets = DictSecrets({**SECRETS, "slack": {"url": slack.webhook}})
        services = with_mutexes(Runtime(spec.parent, discover(), secrets))
        ran = run_plan(server, plan_of(spec, "production"), services)
        return Graph(ran, trail, [request.json()["text"] for request in slack.requests])


GRAPH: dict[str, set[str]] = {
    **{step: set() for step in ("orders", "units", "objects", "agreements", "funds")},
    "orders_to_assets": {"orders"},
    "orders_to_purchasing": {"orders"},
    "units_to_assets": {"units"},
    "portal": {"orders", "units", "funds"},
}
"""What each step waits for."""


def test_nine_containers_with_the_keys_of_their_groups_and_no_two_exports_at_once(
    engine: Engine, prefect_server: PrefectServer, tmp_path: Path
) -> None:
    graph = run(prefect_server, tmp_path)
    assert (graph.ran.state.name, graph.not_completed(), graph.told) == ("Completed", {}, [])
    groups = {step: "purchasing" if step == "orders_to_purchasing" else "warehouse" for step in COMMANDS}
    assert {step: graph.environ(step) for step in COMMANDS} == {step: SECRETS[name] for step, name in groups.items()}
    assert not [value for group in SECRETS.values() for value in group.values() if value in graph.ran.text()]
    assert (graph.trail / "exports").read_text().split() == ["begin", "end"] * 5
    assert graph.ran.text().count("waits for the mutex `ledger`") >= 3, "without it they would have overlapped"
    assert graph.ran.edges() == GRAPH


def test_a_push_that_fails_stops_nothing_and_the_run_has_failed(
    engine: Engine, prefect_server: PrefectServer, tmp_path: Path
) -> None:
    graph = run(prefect_server, tmp_path, failing=["orders_to_purchasing"])
    assert graph.started() == set(COMMANDS)
    ((step, (state, message)),) = graph.not_completed().items()
    assert (step, state) == ("orders_to_purchasing", "Failed")
    assert "exit code 1" in message
    assert (graph.ran.state.name, graph.ran.tasks[step].run_count) == ("Failed", 2)
    assert graph.told == [f"finance.publishing failed at orders_to_purchasing: {message}"]


def test_units_that_fail_stop_their_push_and_the_portal_which_say_why(
    engine: Engine, prefect_server: PrefectServer, tmp_path: Path
) -> None:
    graph = run(prefect_server, tmp_path, failing=["units"])
    assert graph.started() == set(COMMANDS) - {"units_to_assets", "portal"}
    skipped = ("Skipped", "skipped because `units` failed")
    states = graph.not_completed()
    assert (states.pop("units")[0], states) == ("Failed", {"units_to_assets": skipped, "portal": skipped})
    assert graph.ran.state.name == "Failed"
    assert "skipped: units_to_assets, portal" in (graph.ran.state.message or "")
    assert len(graph.told) == 1
    assert (graph.trail / "exports").read_text().split() == ["begin", "end"] * 6, "the second attempt waits its turn"
