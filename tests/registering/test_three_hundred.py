"""Registering many flows: the server is killed on the way, and there are more deployments than one answer holds."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest

from flowmill.pipeline import compile_files
from flowmill.registering.declaring import manifest_of
from flowmill.registering.manifest import Manifest
from flowmill.workspace import load
from flowmill_tasks.registry import discover
from support.desk import Desk
from support.prefect_server import running_server
from support.proxy import RESET, recording_proxy

pytestmark = pytest.mark.prefect

PAGE = 200
DAILY = {"cron": "0 6 * * *", "description": "before"}


@dataclass
class Crowd:
    """A desk with many flows on a server of its own; what it declares is what is there."""

    desk: Desk
    flows: dict[str, dict[str, Any]] = field(default_factory=dict)

    def declare(self, flows: dict[str, dict[str, Any]]) -> None:
        self.flows = flows
        self.desk.write(**flows)

    def manifest(self) -> Manifest:
        files = load(self.desk.folder)
        assert files.spec
        return manifest_of(self.desk.folder, files.spec, compile_files(files, discover()), "staging")

    def everything(self, path: str, **filters: Any) -> list[dict[str, Any]]:
        """All that a filter of the server's API finds."""
        found: list[dict[str, Any]] = []
        with self.desk.server.client() as client:
            for start in count(0, PAGE):
                page = {**filters, "limit": PAGE, "offset": start}
                some = client.request("POST", path, json=page).json()  # type: ignore[arg-type]  # a list of literals
                found += some
                if len(some) < PAGE:
                    return found
        raise AssertionError

    def deployments(self) -> list[dict[str, Any]]:
        return [it for it in self.everything("/deployments/filter") if "flowmill.flow" in it["labels"]]

    def cut_off(self, *options: str, **rule: Any) -> None:
        """Register while the server is killed on the way, and start the server again."""
        server = self.desk.server
        self.desk.proxy.rules.clear()
        self.desk.proxy.rule(answer=RESET, forward=True, after=server.kill, **rule)
        ran = self.desk.run("register", "--create", *options)
        assert (ran.returncode, "does not answer" in ran.stderr) == (1, True), ran.stdout + ran.stderr
        server.start()


def flows(number: int) -> dict[str, dict[str, Any]]:
    return {f"flow-{it:03}": DAILY for it in range(number)}


@pytest.fixture(scope="module", params=[("sqlite", 300), ("postgresql", 60)], ids=lambda it: it[0])
def crowd(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowd]:
    """Many flows, registered by two registers: in the midst of the first the server was killed."""
    kind, number = request.param
    home = tmp_path_factory.mktemp(f"crowd-{kind}")
    database = request.getfixturevalue("postgres").database("crowd") if kind == "postgresql" else ""
    with running_server(home, database) as server, recording_proxy(server.api_url) as proxy:
        folder = home / "specs"
        folder.mkdir()
        crowd = Crowd(Desk(folder, proxy, server))
        crowd.declare(flows(number))
        crowd.cut_off(method="POST", path="/deployments/", nth=number // 2)
        there = len(crowd.deployments())
        assert 0 < there < number
        assert f"{number - there} to create" in crowd.desk.register().stdout
        yield crowd


def test_after_a_register_that_was_cut_off_the_next_one_makes_it_whole(crowd: Crowd) -> None:
    is_as_declared(crowd)


def test_many_unchanged_flows_are_planned_and_registered_without_a_write(crowd: Crowd) -> None:
    assert crowd.desk.run("plan").returncode == 0
    assert crowd.desk.writes("register") == []


def test_a_few_changes_and_removals_are_as_many_writes(crowd: Crowd) -> None:
    """The server is killed in the midst of these, too."""
    changed = {name: {"cron": "30 7 * * *", "description": "after"} for name in list(crowd.flows)[:10]}
    kept = dict(list(crowd.flows.items())[:-5])
    gone = {f"demo.{name}" for name in crowd.flows} - {f"demo.{name}" for name in kept}
    crowd.declare({**kept, **changed})
    crowd.cut_off("--prune", method="PATCH", path="/deployments/[^/]*", nth=4)
    left = 10 - [it["description"] for it in crowd.deployments()].count("after")
    assert 0 < left < 10
    assert f"{left} to update, 5 to delete" in crowd.desk.register("--prune").stdout
    patched = [it.path for it in crowd.desk.proxy.writes if it.method == "PATCH"]
    assert (len(set(patched)), len(gone)) == (10, 5)
    assert gone.isdisjoint(it["labels"]["flowmill.flow"] for it in crowd.deployments())
    is_as_declared(crowd)


def test_r07_no_orphan_is_missed_where_there_are_more_deployments_than_an_answer_holds(crowd: Crowd) -> None:
    """Half as many again are somebody else's."""
    orphans = [f"demo.{name}" for name in crowd.flows][1:]
    with crowd.desk.server.client() as client:
        for number in range(len(crowd.flows) // 2):
            client.create_deployment(client.create_flow_from_name(f"theirs.{number:03}"), "staging")
    crowd.desk.write(**dict(list(crowd.flows.items())[:1]))
    planned = crowd.desk.run("plan", "--prune")
    crowd.declare(crowd.flows)
    doomed = [line.split()[1] for line in planned.stdout.splitlines() if line.endswith("  delete")]
    assert doomed == orphans
    assert "theirs" not in planned.stdout


def is_as_declared(crowd: Crowd) -> None:
    """The server has each flow of the manifest once, as it is there, and each coming run once."""
    declared, there = crowd.manifest().deployments, crowd.deployments()
    names = Counter(it["labels"]["flowmill.flow"] for it in there)
    assert names == dict.fromkeys(declared, 1)
    bodies = {it["labels"]["flowmill.flow"]: _told(it) for it in there}
    assert bodies == {name: _told(it.body) for name, it in declared.items()}
    runs = crowd.everything("/flow_runs/filter")
    times = Counter((it["deployment_id"], it["expected_start_time"]) for it in runs)
    assert set(times.values()) == {1}
    due: dict[str, set[str]] = {it["id"]: set() for it in there}
    for deployment, moment in times:
        due[deployment].add(moment[11:16])
    assert due == {it["id"]: {"07:30" if it["description"] == "after" else "06:00"} for it in there}


def _told(content: Any) -> dict[str, Any]:
    """What was told about a deployment, of a manifest's entry or of the server's answer."""
    told = ("name", "description", "work_pool_name", "work_queue_name", "paused", "entrypoint", "pull_steps", "tags")
    schedules = [
        (it["slug"], it["active"], it["parameters"], *map(it["schedule"].get, ("cron", "timezone")))
        for it in content["schedules"]
    ]
    return {**{key: content[key] for key in told}, "schedules": schedules}
