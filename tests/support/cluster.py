"""Everything that flows have in production, on one machine: for the acceptance test and for `make cluster`.

A Prefect server, a bare git repository with two branches, two servers with a worker for each of two environments,
a mail server, an endpoint for Slack, and a Docker engine where there is one.
"""

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import docker
from docker.errors import ImageNotFound

from support.engine import provide_image
from support.flowmill_worker import FlowmillWorker, flowmill_worker
from support.flows import FLOWMILL, Finished, flowmill
from support.git_host import GitHost, git, git_host
from support.prefect_server import PrefectServer
from support.slack import SlackEndpoint, slack_endpoint
from support.smtp import MailServer, mail_server

BRANCHES = {"staging": "main", "production": "production"}
"""The environments, and what each follows."""
SERVERS = ("desk-01", "desk-02")
IMAGE = "flowmill-cluster/tools:1"
_PATIENT = {"PREFECT_WORKER_QUERY_SECONDS": "10"}
"""As by default. On SQLite, workers that ask at the same moment may lock each other out, with all others, for 60 s
(Prefect's issue 23051); that is seen often when four of them ask every second."""
_EXAMPLE = Path(__file__).parents[2] / "docs/examples/cluster"
_CONTAINER = "specs/tour/container.yaml"
_SOMEWHERE = "https://github.com/your-team/tour.git"


@dataclass(frozen=True)
class Cluster:
    """What runs.

    Attributes:
        folder: where its files lie.
        workers: by the names that they have on the Prefect server.
    """

    folder: Path
    server: PrefectServer
    host: GitHost
    mails: MailServer
    slack: SlackEndpoint
    workers: dict[str, FlowmillWorker] = field(default_factory=dict)

    def register(self, environment: str) -> Finished:
        """Register what the environment's branch holds now, as CI does after a push."""
        clone = self.folder / "clone"
        git("fetch", "--quiet", "origin", folder=clone)
        git("checkout", "--quiet", "--detach", f"origin/{BRANCHES[environment]}", folder=clone)
        return self._flowmill("register", "--env", environment, "--create")

    def run_by_hand(self, flow: str, environment: str) -> UUID:
        """What the button `Run` of Prefect's UI does."""
        with self.server.client() as client:
            deployment = client.read_deployment_by_name(f"{flow}/{environment}")
            return client.create_flow_run_from_deployment(deployment.id).id

    def keep_secret(self, name: str, value: Mapping[str, object]) -> None:
        """Have the Prefect server keep a secret with keys."""
        subprocess.run(
            [FLOWMILL, "secrets", "set", name, "--json"],
            input=json.dumps(value).encode(),
            env={**os.environ, "PREFECT_API_URL": self.server.api_url},
            check=True,
            capture_output=True,
        )

    def start_workers(self, stack: ExitStack) -> None:
        """Start the four workers, which end with the stack, and wait until they ask for runs."""
        for server in SERVERS:
            for environment in BRANCHES:
                name = self.worker(server, environment)
                # A home of its own, as on a machine of its own.
                home = self.folder / name
                home.mkdir()
                variables = {"PREFECT_API_URL": self.server.api_url, "HOME": str(home), **_PATIENT}
                started = flowmill_worker(home, server, environment, "--name", name, "--no-workspace", **variables)
                self.workers[name] = stack.enter_context(started)
        for worker in self.workers.values():
            worker.started()

    def worker(self, server: str, environment: str) -> str:
        """The name of a worker; a Prefect server remembers those of other clusters for some time."""
        return f"{self.folder.name.replace('_', '-')}-{server}-{environment}"

    def _flowmill(self, *arguments: str) -> Finished:
        ran = flowmill(*arguments, cwd=self.folder / "clone", PREFECT_API_URL=self.server.api_url)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran


@contextmanager
def running_cluster(folder: Path, server: PrefectServer, *, has_docker: bool) -> Iterator[Cluster]:
    """All of it but the workers, registered in both environments; only the Prefect server is somebody else's to end.

    Args:
        has_docker: whether there is an engine; without one, the flow that needs it is left out.
    """
    host = _repository(folder, has_docker)
    with mail_server() as mails, slack_endpoint() as slack, _image(has_docker):
        cluster = Cluster(folder, server, host, mails, slack)
        cluster.keep_secret("mail", {"host": "127.0.0.1", "port": mails.port, "security": "none"})
        cluster.keep_secret("slack", {"url": slack.webhook})
        git("clone", "--quiet", host.url, str(folder / "clone"), folder=folder)
        for environment in BRANCHES:
            cluster.register(environment)
        yield cluster


def _repository(folder: Path, has_docker: bool) -> GitHost:
    """The example on `main`; on `production` it calls itself that."""
    host, example = git_host(folder, {}), folder / "example"
    shutil.copytree(_EXAMPLE, example)
    settings = example / "specs/flowmill.yaml"
    settings.write_text(settings.read_text().replace(_SOMEWHERE, host.url))
    if not has_docker:
        (example / _CONTAINER).unlink()
    host.push_folder(example, message="The example")
    shutil.rmtree(example)
    host.point("production", "main")
    host.push({"specs/tour/data/branch.txt": "production\n"}, "production", "What production says")
    return host


@contextmanager
def _image(has_docker: bool) -> Iterator[None]:
    """The image that the example runs, which goes again if it was not there."""
    if not has_docker:
        yield
        return
    with contextlib.closing(docker.from_env()) as client:
        was_there = bool(client.images.list(IMAGE))
        provide_image(client, IMAGE)
        try:
            yield
        finally:
            if not was_there:
                with contextlib.suppress(ImageNotFound):
                    client.images.remove(IMAGE, force=True)
