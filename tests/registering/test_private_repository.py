"""A repository that asks for a login: workers get in with the token of a block, and nobody else gets to see it."""

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prefect.blocks.system import Secret
from prefect.client.schemas.filters import LogFilter, LogFilterFlowRunId
from prefect.client.schemas.objects import State
from prefect.exceptions import ObjectNotFound

from support.certificate import make_certificate
from support.flowmill_worker import flowmill_worker
from support.flows import FLOWMILL, flowmill
from support.git_host import GitServer, git, git_host, served
from support.prefect_server import PrefectServer
from support.waiting import eventually
from support.worker import delete_work_pool

pytestmark = pytest.mark.prefect

TOKEN, WRONG = "heron-7731-otter", "bittern-4402-vole"
BLOCK = "token-of-the-private-repository"
JOB = """\
project: private
environment: production
server: vault-01
steps:
  - {id: work, type: script, command: sh ./say.sh}
"""


@dataclass(frozen=True)
class Private:
    """A clone of the private repository, registered, and a worker that has no login of its own."""

    server: PrefectServer
    repository: GitServer
    clone: Path
    printed: Path

    def run(self) -> tuple["State[Any]", str]:
        """Run the flow by hand; its final state, and the log of one that went well."""
        with self.server.client() as client:
            deployment = client.read_deployment_by_name("private.job/production")
            run = client.create_flow_run_from_deployment(deployment.id).id
        state = eventually(lambda: self._final(run))
        return state, eventually(lambda: self._log(run)) if state.is_completed() else ""

    def shown(self) -> bytes:
        """Everything that people may come to see: the server's database and log, the worker's, and the plan."""
        planned = flowmill("plan", "--env", "production", "--format", "json", cwd=self.clone)
        assert planned.returncode == 0, planned.stderr
        return b"".join(
            [self.server.database(), self.server.log.encode(), self.printed.read_bytes(), planned.stdout.encode()]
        )

    def _final(self, run: UUID) -> Any:
        with self.server.client() as client:
            state = client.read_flow_run(run).state
        return state if state and state.is_final() else None

    def _log(self, run: UUID) -> str:
        """The log, once its last line has arrived."""
        with self.server.client() as client:
            lines = client.read_logs(LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run])), limit=200)
        text = "\n".join(line.message for line in lines)
        return text if "Finished in state" in text else ""


def set_secret(value: str) -> None:
    given = [FLOWMILL, "secrets", "set", BLOCK]
    subprocess.run(given, input=value, text=True, check=True, capture_output=True, env={**os.environ})


def files(address: str) -> dict[str, str]:
    workspace = {
        "name": "private-flows",
        "repository": address,
        "repository_token": BLOCK,
        "environments": {"production": {"ref": "production"}},
        "servers": {"vault-01": {}},
    }
    return {
        "specs/flowmill.yaml": json.dumps(workspace),
        "specs/private/project.yaml": "description: nobody else's\n",
        "specs/private/job.yaml": JOB,
        "specs/private/say.sh": "echo out of the vault\n",
    }


@pytest.fixture
def private(tmp_path: Path, prefect_server: PrefectServer) -> Iterator[Private]:
    host, certificate = git_host(tmp_path, {}), make_certificate(tmp_path)
    # Without a user's name before it, a token takes that place, as on GitHub.
    with served(host, user=TOKEN, certificate=certificate) as repository:
        host.push(files(repository.url), "production")
        clone = tmp_path / "clone"
        git("clone", "--quiet", "--branch", "production", host.url, str(clone), folder=tmp_path)
        made = flowmill("register", "--env", "production", "--create", cwd=clone)
        assert made.returncode == 0, made.stdout + made.stderr
        assert f"warning: there is no Secret block `{BLOCK}`" in made.stdout
        environ = {"GIT_SSL_CAINFO": str(certificate.file), "HOME": str(tmp_path)}
        name = tmp_path.name.replace("_", "-")
        with flowmill_worker(clone, "vault-01", "production", "--name", name, **environ) as worker:
            yield Private(prefect_server, repository, clone, worker.log)
    with contextlib.suppress(ObjectNotFound):
        delete_work_pool(prefect_server, "vault-01")
    with contextlib.suppress(ValueError):
        Secret.delete(f"secret/{BLOCK}")


def test_a_run_gets_in_with_the_token_of_the_block_and_shows_it_to_nobody(private: Private) -> None:
    state, _ = private.run()
    assert (state.name, private.repository.requests) == ("Failed", [])
    assert f"there is no Secret block `{BLOCK}` on the Prefect server" in state.message
    assert f"`flowmill secrets set {BLOCK}` makes it" in state.message
    set_secret(WRONG)
    state, _ = private.run()
    assert (state.name, private.repository.requests) == ("Crashed", [])
    assert "Failed to clone repository" in private.printed.read_text()
    set_secret(TOKEN)
    state, log = private.run()
    assert (state.name, "out of the vault" in log) == ("Completed", True), log
    assert private.repository.requests != []
    for token in (TOKEN, WRONG):
        assert token.encode() not in private.shown()
