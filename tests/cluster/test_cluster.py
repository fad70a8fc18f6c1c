"""The whole of it: push, register, and runs by schedule and by hand in the right worker with the right branch.

And `make cluster`, which brings up the same parts for a person, in this file because both provide one image.
"""

import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import UUID

import pytest
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterState, FlowRunFilterStateType
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.client.schemas.sorting import FlowRunSort

from support.cluster import BRANCHES, Cluster, running_cluster
from support.prefect_server import PrefectServer, running_server
from support.waiting import eventually

pytestmark = [pytest.mark.prefect, pytest.mark.docker]

FLOWS = {"tour.report": "desk-01", "tour.container": "desk-02"}
SOON = {"report": "*/2 * * * *", "container": "1-59/2 * * * *"}
"""In turns: a small machine that has to start everything in one minute is not done when the next one begins."""
PLACES = [(flow, environment) for flow in FLOWS for environment in BRANCHES]
# Also a run that came a minute late, and left the field to the next one, is at its end; but it is Cancelled.
ENDED = [StateType.COMPLETED, StateType.FAILED, StateType.CRASHED]
FINAL = FlowRunFilter(state=FlowRunFilterState(type=FlowRunFilterStateType(any_=ENDED)))


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[PrefectServer]:
    """A server of its own, which has nothing yet."""
    is_other = request.param == "postgresql"
    database = request.getfixturevalue("postgres").database("cluster") if is_other else ""
    (tmp_path / "server").mkdir()
    with running_server(tmp_path / "server", database) as server:
        yield server


def push_and_register(cluster: Cluster) -> None:
    """Have the flows of each branch run within two minutes."""
    for environment, branch in BRANCHES.items():
        for name, cron in SOON.items():
            path = f"specs/tour/{name}.yaml"
            text = cluster.host.git("show", f"{branch}:{path}")
            cluster.host.push({path: text.replace("0 6 * * *", cron) + "\n"}, branch)
        assert "2 to update" in cluster.register(environment).stdout


def by_schedule(cluster: Cluster) -> list[FlowRun]:
    """The first scheduled run of every place that has ended; empty as long as one is missing."""
    with cluster.server.client() as client:
        ids = [client.read_deployment_by_name(f"{flow}/{environment}").id for flow, environment in PLACES]
        runs = client.read_flow_runs(flow_run_filter=FINAL, sort=FlowRunSort.EXPECTED_START_TIME_ASC, limit=200)
    first = {run.deployment_id: run for run in reversed(runs) if run.auto_scheduled}
    return [first[id] for id in ids] if set(ids) <= set(first) else []


def by_hand(cluster: Cluster, ids: list[UUID]) -> list[FlowRun]:
    """The runs that were started by hand, once all have ended."""
    with cluster.server.client() as client:
        found = [client.read_flow_run(id) for id in ids]
    return found if all(run.state and run.state.is_final() for run in found) else []


def test_push_register_and_run(server: PrefectServer, tmp_path: Path) -> None:
    with running_cluster(tmp_path, server, has_docker=True) as cluster, ExitStack() as stack:
        cluster.start_workers(stack)
        ids = [cluster.run_by_hand(*place) for place in PLACES]
        manual = eventually(lambda: by_hand(cluster, ids), 900)
        push_and_register(cluster)
        scheduled = eventually(lambda: by_schedule(cluster), 900)
        for place, *both in zip(PLACES, manual, scheduled, strict=True):
            for run in both:
                assert run.state.name == "Completed", run.state.message
                check_place(run, *place, cluster.worker(FLOWS[place[0]], place[1]))
    check_messages(cluster)


def check_place(run: FlowRun, flow: str, environment: str, worker: str) -> None:
    """The run was where it belongs, by what the server knows."""
    assert (run.work_pool_name, run.work_queue_name) == (FLOWS[flow], environment)
    assert run.labels["prefect.worker.name"] == worker
    assert run.infrastructure_pid


def check_messages(cluster: Cluster) -> None:
    """What the scripts of each branch have said, on which worker, has arrived, and nothing else."""
    said = {f"{name}: the branch {branch} on {cluster.worker('desk-01', name)}" for name, branch in BRANCHES.items()}
    assert {mail.message["Subject"] for mail in cluster.mails.received} == said
    told = {f"tour.container in {name}: the branch {branch}" for name, branch in BRANCHES.items()}
    told |= {f"tour.report in {line}" for line in said}
    texts = [request.json()["text"] for request in cluster.slack.requests]
    assert set(texts) == told
    assert len(cluster.mails.received) >= 4
    assert len(texts) >= 8


PROGRAM = Path(__file__).parents[2] / "docs/cluster.py"


def cluster(verb: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, str(PROGRAM), verb, "--folder", str(folder)],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def processes_of(folder: Path) -> list[str]:
    """Processes that have something to do with the folder: their command or their environment names it."""
    found = []
    for place in Path("/proc").iterdir():
        try:
            about = (place / "cmdline").read_bytes() + (place / "environ").read_bytes()
        except OSError:
            continue
        if f"{folder}/".encode() in about and place.name != str(os.getpid()):
            found.append(place.name)
    return found


def read(address: str) -> str:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address, timeout=10) as answer:
        return str(answer.read().decode())


def test_it_comes_up_and_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "cluster"
    try:
        printed = cluster("up", folder)
        [ui] = re.findall(r"Prefect's UI +(\S+)", printed)
        assert "<html" in read(ui)
        assert json.loads(read(f"{ui}/ui-settings"))["api_url"] == f"{ui}/api", "where the UI looks for everything"
        eventually(lambda: len(list((folder / "mails").iterdir())) == len(list((folder / "slack").iterdir())) == 2, 90)
        mails = "".join(path.read_text() for path in (folder / "mails").iterdir())
        assert "Subject: production: the branch production on cluster-desk-01-production" in mails
        assert "Subject: staging: the branch main on cluster-desk-01-staging" in mails
        assert len(processes_of(folder)) >= 10
    finally:
        assert cluster("down", folder) == "nothing of the cluster is left\n"
    assert (processes_of(folder), folder.exists()) == ([], False)


def test_down_ends_exactly_what_is_written_down(tmp_path: Path) -> None:
    """Also when the process in the background has died; and not one that has got the id of another."""
    left, other = (subprocess.Popen(["sleep", "600"], start_new_session=True) for _ in range(2))
    started = Path(f"/proc/{left.pid}/stat").read_text().rpartition(")")[2].split()[19]
    entries = [{"pid": left.pid, "started": started}, {"pid": other.pid, "started": "1"}]
    (tmp_path / "processes.json").write_text(json.dumps(entries))
    try:
        cluster("down", tmp_path)
        assert left.wait(10) == -15
        assert other.poll() is None
    finally:
        for process in (left, other):
            process.kill()
            process.wait()
