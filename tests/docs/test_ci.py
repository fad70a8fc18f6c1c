"""The workflow for repositories of specs: every `run` of it is run, on a real server, as GitHub would run it.

What GitHub does itself is done here: it checks out, it decides which jobs an event starts, and it puts in values.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.fresh_environment import fresh_environment, variables
from support.git_host import GitHost, git, git_host
from support.github import TOKEN, GitHub, github
from support.prefect_server import PrefectServer
from support.worker import delete_work_pool

ROOT = Path(__file__).resolve().parents[2]
WORKFLOW = yaml.safe_load((ROOT / "docs/ci/github-actions.yml").read_text())
JOBS: dict[str, Any] = WORKFLOW["jobs"]
IS_PRODUCTION = "github.ref_name == 'production' && 'production' || 'staging'"
MAY_COMMENT = (
    "github.event.pull_request.head.repo.full_name == github.repository && github.event.pull_request.number || ''"
)
JOB = """\
project: shop
environment: [staging, production]
server: till-01
cron: "0 6 * * *"
steps:
  - {id: work, type: script, command: "true"}
"""
SPECS = {
    "specs/flowmill.yaml": {
        "name": "shop-of-the-workflow",
        "repository": "https://github.com/your-team/flows.git",
        "environments": {"staging": {"ref": "main"}, "production": {"ref": "production"}},
        "servers": {"till-01": {}},
    },
    "specs/shop/project.yaml": {"description": "what is sold"},
    "specs/shop/orders.yaml": JOB,
}
LATER = {"specs/shop/orders.yaml": JOB.replace("0 6", "0 7")}


@dataclass
class Runner:
    """A machine that runs jobs of the workflow.

    Attributes:
        values: what stands for the expressions of the workflow; one that is missing is an error.
    """

    folder: Path
    host: GitHost
    github: GitHub
    programs: Path
    values: dict[str, str] = field(default_factory=dict)

    def run(self, name: str, commit: str, **values: str) -> "subprocess.CompletedProcess[str]":
        """Run a job on a commit: its steps in order, until one fails. The last step, with what all have printed."""
        work = self._checked_out(commit)
        outputs: dict[str, str] = {}
        printed = ""
        for step in (step for step in JOBS[name]["steps"] if self._is_to_run(step)):
            done = self._step(step, work, {**self.values, **values, **outputs})
            printed += done.stdout
            if "id" in step:
                lines = (self.folder / "output").read_text().splitlines()
                outputs |= {
                    f"steps.{step['id']}.outputs.{key}": text for key, _, text in (it.partition("=") for it in lines)
                }
            if done.returncode:
                break
        done.stdout = printed
        return done

    def _is_to_run(self, step: dict[str, Any]) -> bool:
        """What installs is the same in every job, and here is one environment for all: it is run once."""
        if " pip install " not in step.get("run", ""):
            return "run" in step
        done = self.programs / f"done-{hash(step['run'])}"
        is_first = not done.exists()
        done.touch()
        return is_first

    def _outputs(self, step: str) -> dict[str, str]:
        lines = (self.folder / "output").read_text().splitlines()
        return {f"steps.{step}.outputs.{line.partition('=')[0]}": line.partition("=")[2] for line in lines}

    def _checked_out(self, commit: str) -> Path:
        """What `actions/checkout` does with `fetch-depth: 0`, for the specs and then for flowmill."""
        work = self.folder / f"work-{len(list(self.folder.iterdir()))}"
        git("clone", "--quiet", self.host.url, str(work), folder=self.folder)
        git("checkout", "--quiet", "--detach", self.host.sha(commit), folder=work)
        (work / ".flowmill-source").symlink_to(ROOT)
        return work

    def _step(self, step: dict[str, Any], work: Path, values: dict[str, str]) -> "subprocess.CompletedProcess[str]":
        given = {key: filled(text, values) for key, text in step.get("env", {}).items()}
        for name in ("output", "summary"):
            (self.folder / name).touch()
        files = {"GITHUB_OUTPUT": str(self.folder / "output"), "GITHUB_STEP_SUMMARY": str(self.folder / "summary")}
        around = {"GITHUB_API_URL": self.github.api, "GITHUB_REPOSITORY": "your-team/flows"}
        environ = variables(self.programs, RUNNER_TEMP=str(self.folder), HOME=str(self.folder), **files, **around)
        script = self.folder / "step.sh"
        script.write_text(step["run"])
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)]
        return subprocess.run(
            command, cwd=work, env={**environ, **given}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )


def filled(text: str, values: dict[str, str]) -> str:
    """A text of the workflow with the values of its expressions."""
    return re.sub(r"\$\{\{ (.*?) \}\}", lambda found: values[found[1]], str(text))


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment like the one that `actions/setup-python` gives."""
    return fresh_environment(tmp_path_factory.mktemp("python") / "environment")


@pytest.fixture
def runner(programs: Path, tmp_path: Path, prefect_server: PrefectServer) -> Iterator[Runner]:
    host = git_host(tmp_path, {name: it if isinstance(it, str) else json.dumps(it) for name, it in SPECS.items()})
    secrets = {"secrets.PREFECT_API_URL": prefect_server.api_url, "secrets.PREFECT_API_AUTH_STRING": ""}
    with github() as there:
        yield Runner(tmp_path, host, there, programs, {**secrets, "github.token": TOKEN, MAY_COMMENT: "7"})


@pytest.fixture
def registered(runner: Runner, prefect_server: PrefectServer) -> Iterator[Runner]:
    """Production is registered, by the workflow; the pools were made by hand, as the guide for operating says."""
    with prefect_server.client() as client:
        client.request("POST", "/work_pools/", json={"name": "till-01", "type": "process"})
        for name in ("staging", "production"):
            client.request("POST", "/work_pools/till-01/queues", json={"name": name})
    try:
        done = runner.run("register", "production", **{IS_PRODUCTION: "production"})
        assert done.returncode == 0, done.stdout
        yield runner
    finally:
        delete_deployments(prefect_server)
        delete_work_pool(prefect_server, "till-01")


def delete_deployments(server: PrefectServer) -> None:
    with server.client() as client:
        for deployment in client.read_deployments(limit=200):
            if deployment.labels.get("flowmill.workspace") == "shop-of-the-workflow":
                client.delete_deployment(deployment.id)


def starts(job: str, event: str) -> bool:
    """Whether an event starts a job."""
    [(operator, name)] = re.findall(r"^github\.event_name (==|!=) '(\w+)'$", JOBS[job]["if"])
    return (event == name) is (operator == "==")


@pytest.mark.parametrize(
    ("event", "jobs"),
    [("pull_request", {"validate", "comment"}), ("push", {"validate", "register"}), ("schedule", {"drift"})],
)
def test_which_event_starts_what(event: str, jobs: set[str]) -> None:
    assert event in WORKFLOW[True], "YAML reads the word `on` as true"
    assert {job for job in JOBS if starts(job, event)} == jobs


def test_what_registers_runs_alone_and_is_not_cut_off() -> None:
    register = JOBS["register"]
    assert register["concurrency"] == {"group": f"register-${{{{ {IS_PRODUCTION} }}}}", "cancel-in-progress": False}
    assert register["environment"] == f"${{{{ {IS_PRODUCTION} }}}}"
    assert (register["needs"], WORKFLOW[True]["push"]) == ("validate", {"branches": ["main", "production"]})
    assert register["steps"][0]["with"]["ref"] == "${{ github.ref_name }}", "never an older commit"
    assert "pull_request_target" not in WORKFLOW[True]


def test_values_reach_commands_as_variables_only() -> None:
    assert not [step for job in JOBS.values() for step in job["steps"] if "${{" in step.get("run", "")]


@pytest.mark.prefect
def test_a_pull_request_is_proved(runner: Runner) -> None:
    assert runner.run("validate", "main").returncode == 0
    runner.host.push({"specs/shop/orders.yaml": JOB.replace("till-01", "till-1")}, "proposal")
    done = runner.run("validate", "proposal")
    assert done.returncode == 1
    assert "::error file=specs/shop/orders.yaml,line=3" in done.stdout


@pytest.mark.prefect
def test_a_pull_request_has_one_comment_with_the_plan(registered: Runner) -> None:
    registered.github.say("a-colleague", "nice")
    registered.host.push(LATER, "proposal")
    for _ in range(2):
        done = registered.run("comment", "proposal", **{"github.base_ref": "production"})
        assert done.returncode == 0, done.stdout
    assert [method for method, _ in registered.github.writes] == ["POST", "PATCH"]
    [_, ours] = registered.github.comments
    assert "**flowmill plan --env production**" in ours["body"]
    assert "schedules.schedule-1.cron  0 6 * * * -> 0 7 * * *" in ours["body"]
    assert ours["body"] in (registered.folder / "summary").read_text()


@pytest.mark.prefect
def test_a_plan_that_is_refused_is_shown_and_fails(runner: Runner) -> None:
    done = runner.run("comment", "main", **{"github.base_ref": "main"})
    assert done.returncode == 1
    assert "there is no work pool `till-01` on the server" in runner.github.comments[0]["body"]


@pytest.mark.prefect
def test_a_pull_request_from_a_fork_shows_the_differences_and_needs_nothing(runner: Runner) -> None:
    runner.host.push(LATER, "fork")
    nothing = {"secrets.PREFECT_API_URL": "", MAY_COMMENT: "", "github.base_ref": "main"}
    done = runner.run("comment", "fork", **nothing)
    assert (done.returncode, runner.github.comments, runner.github.writes) == (0, [], [])
    shown = (runner.folder / "summary").read_text()
    assert "**flowmill diff --env staging**" in shown
    assert "changed shop.orders in staging" in shown


@pytest.mark.prefect
def test_a_push_registers_its_environment_only(registered: Runner) -> None:
    registered.host.push(LATER, "main")
    done = registered.run("register", "main", **{IS_PRODUCTION: "staging"})
    assert (done.returncode, "1 to create" in done.stdout) == (0, True), done.stdout
    again = registered.run("register", "production", **{IS_PRODUCTION: "production"})
    assert (again.returncode, "1 unchanged" in again.stdout) == (0, True)


@pytest.mark.prefect
def test_every_night_a_change_by_hand_is_found(registered: Runner, prefect_server: PrefectServer) -> None:
    assert registered.run("drift", "production").returncode == 0
    with prefect_server.client() as client:
        read = client.read_deployment_by_name("shop.orders/production")
        client.request("PATCH", f"/deployments/{read.id}", json={"description": "by hand"})
    assert registered.run("drift", "production").returncode == 2


STICKY = [
    pytest.param("a ``` b", "````", id="a fence in the text"),
    pytest.param("plain", "```", id="none"),
]


@pytest.mark.parametrize(("text", "fence"), STICKY)
def test_a_text_cannot_leave_its_block(tmp_path: Path, text: str, fence: str) -> None:
    (tmp_path / "look.txt").write_text(text)
    summary = tmp_path / "summary"
    script = [sys.executable, str(ROOT / "docs/ci/sticky_comment.py"), "a title", str(tmp_path / "look.txt")]
    subprocess.run(script, env={"GITHUB_STEP_SUMMARY": str(summary)}, check=True)
    assert summary.read_text().endswith(f"\n{fence}text\n{text}\n{fence}\n")
