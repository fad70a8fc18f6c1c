"""Which code a worker runs: the commit that was registered, or what the branch holds, and never a mix of both."""

import contextlib
import json
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prefect.client.schemas.filters import LogFilter, LogFilterFlowRunId
from prefect.exceptions import ObjectNotFound

from support.flowmill_worker import FlowmillWorker, flowmill_worker
from support.flows import flowmill
from support.git_host import GitHost, git, git_host
from support.prefect_server import PrefectServer
from support.waiting import eventually
from support.worker import delete_work_pool

pytestmark = pytest.mark.prefect

JOB = """\
project: demo
environment: [staging, production]
server: etl-01
steps:
  - {id: work, type: script, command: sh ./say.sh}
"""


def files(host: str, say: str, job: str = JOB) -> dict[str, str]:
    workspace = {
        "name": "demo-flows",
        "repository": host,
        "environments": {"staging": {"ref": "main", "pin": "branch"}, "production": {"ref": "production"}},
        "servers": {"etl-01": {}},
    }
    return {
        "specs/flowmill.yaml": json.dumps(workspace),
        "specs/demo/project.yaml": "description: a demonstration\n",
        "specs/demo/job.yaml": job,
        "specs/demo/say.sh": f"#!/bin/sh\necho {say}\n",
    }


class Clone:
    """A work tree of the repository, from which somebody registers."""

    def __init__(self, host: GitHost, folder: Path, server: PrefectServer) -> None:
        self.host, self.folder, self.server = host, folder, server
        git("clone", "--quiet", host.url, str(folder), folder=folder.parent)

    def register(self, environment: str) -> str:
        """Register what the environment's branch holds, as CI does after a push."""
        branch = {"staging": "main"}.get(environment, environment)
        git("fetch", "--quiet", "origin", folder=self.folder)
        git("checkout", "--quiet", "--detach", f"origin/{branch}", folder=self.folder)
        ran = flowmill("register", "--env", environment, "--create", "--adopt", cwd=self.folder)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def worker(self, environment: str) -> AbstractContextManager[FlowmillWorker]:
        """A worker of a name of its own: the server remembers for some time those of other tests."""
        name = f"{self.folder.parent.name}-{environment}".replace("_", "-")
        return flowmill_worker(self.folder, "etl-01", environment, "--name", name)

    def ended(self, environment: str, **parameters: Any) -> tuple[Any, list[str]]:
        """Run the flow by hand; its final state, and its log."""
        with self.server.client() as client:
            deployment = client.read_deployment_by_name(f"demo.job/{environment}")
            run = client.create_flow_run_from_deployment(deployment.id, parameters=parameters).id
        state = eventually(lambda: self._final(run))
        assert state.name in ("Completed", "Failed"), state.message
        return state, eventually(lambda: self._log(run))

    def _final(self, run: UUID) -> Any:
        with self.server.client() as client:
            state = client.read_flow_run(run).state
        return state if state and state.is_final() else None

    def _log(self, run: UUID) -> list[str]:
        """The log, once its last line has arrived."""
        with self.server.client() as client:
            lines = client.read_logs(LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run])), limit=200)
        texts = [line.message for line in lines]
        is_whole = any("Finished in state" in text or "nothing was run" in text for text in texts)
        return texts if is_whole else []


@pytest.fixture
def clone(tmp_path: Path, prefect_server: PrefectServer) -> Iterator[Clone]:
    host = git_host(tmp_path, {})
    host.push(files(host.url, "one"))
    host.point("production", "main")
    yield Clone(host, tmp_path / "clone", prefect_server)
    with contextlib.suppress(ObjectNotFound):  # a test that was refused made no pool
        delete_work_pool(prefect_server, "etl-01")


def test_each_environment_runs_its_own_branch_on_its_own_worker(clone: Clone) -> None:
    for environment in ("staging", "production"):
        clone.register(environment)
    clone.host.push({"specs/demo/say.sh": "echo two\n"}, "main")
    later = clone.host.push({"specs/demo/say.sh": "echo three\n"}, "production")
    with (
        clone.worker("staging"),
        clone.worker("production"),
    ):
        state, log = clone.ended("staging")
        assert (state.name, "two" in log) == ("Completed", True), "staging follows its branch"
        assert any(f"the branch at {clone.host.sha('main')[:7]}" in line for line in log)
        state, log = clone.ended("production")
        assert (state.name, "one" in log) == ("Completed", True), "production runs what was registered"
        clone.register("production")
        state, log = clone.ended("production")
        assert (state.name, "three" in log) == ("Completed", True)
    with clone.server.client() as client:
        read = client.read_deployment_by_name("demo.job/production")
    assert read.pull_steps is not None
    assert read.pull_steps[0]["prefect.deployments.steps.git_clone"]["commit_sha"] == later


def test_a_merge_that_does_not_touch_a_flow_leaves_its_deployment_alone(clone: Clone) -> None:
    clone.register("production")
    clone.host.push({"README.md": "about\n", "specs/demo/other.yaml": JOB.replace("work", "rest")}, "production")
    assert "1 to create, 1 unchanged" in clone.register("production")


def test_a_branch_whose_plan_differs_runs_whole_and_says_so(clone: Clone) -> None:
    clone.register("staging")
    clone.host.push({"specs/demo/job.yaml": JOB.replace("sh ./say.sh", "echo four")}, "main")
    with clone.worker("staging"):
        state, log = clone.ended("staging")
    assert (state.name, "four" in log) == ("Completed", True)
    assert any("which differs from what was registered" in line for line in log)


def test_a_pinned_run_whose_plan_is_not_the_registered_one_fails_and_says_so(clone: Clone) -> None:
    clone.host.push({"specs/demo/job.yaml": JOB + "parameters: {days: {type: integer, default: 1}}\n"}, "production")
    clone.register("production")
    with clone.server.client() as client:
        read = client.read_deployment_by_name("demo.job/production")
        other = {"entrypoint": f"flowmill.flows:demo.job.production.{'0' * 16}"}
        client.request("PATCH", f"/deployments/{read.id}", json=other)
    with clone.worker("production"):
        state, log = clone.ended("production", days=2)
    assert (state.name, "one" in log) == ("Failed", False)
    assert "is not the one that was registered (0000000000000000), so nothing was run" in state.message


def test_what_is_not_committed_is_not_registered(clone: Clone) -> None:
    git("checkout", "--quiet", "--detach", "origin/production", folder=clone.folder)
    (clone.folder / "specs/demo/say.sh").write_text("echo five\n")
    refused = flowmill("register", "--env", "production", "--create", cwd=clone.folder)
    assert refused.returncode == 1
    assert "not committed: `specs/demo/say.sh`; commit and push them" in refused.stderr
