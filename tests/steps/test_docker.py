"""The `docker` step on a real engine: what it runs, how it ends, what it leaves behind (nothing)."""

import asyncio
import os
import resource
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import NoneType
from typing import Any

import pytest

import support.engine
from flowmill_tasks import owner
from flowmill_tasks._docker_container import EngineUnreachable
from flowmill_tasks.base import ProcessOutput, RunMemory, StepCancelled, StepFailed, StepRun, StepTimedOut
from flowmill_tasks.docker import Docker
from flowmill_tasks.fields import Plain, Rendered
from flowmill_tasks.perform import perform
from support.engine import IMAGE, CuttableLine, Engine, ImageRegistry
from support.steps import ListLog, run_step, step_run
from support.waiting import LEEWAY, eventually

pytestmark = pytest.mark.docker
engine, registry = support.engine.engine, support.engine.registry

STUBBORN = ["sh", "-c", "trap '' TERM; echo ready; while true; do sleep 600; done"]


def step(*command: str, **keys: Any) -> Docker:
    words = {"command": list(command)} if command else {}
    return Docker.model_validate({"image": IMAGE, "pull": "never", **words, **keys})


def shell(script: str, **keys: Any) -> Docker:
    return step("sh", "-c", script, **keys)


@pytest.fixture
def run(tmp_path: Path, engine: Engine) -> StepRun:
    return step_run(tmp_path, key=engine.key)


def lines(run: StepRun) -> list[str]:
    assert isinstance(run.log, ListLog)
    return run.log.lines


def failure(made: Docker, run: StepRun, timeout: float | None = None) -> StepFailed:
    with pytest.raises(StepFailed) as caught:
        run_step(made, run, timeout)
    return caught.value


def test_both_streams_go_to_the_log_and_stdout_to_later_steps(run: StepRun) -> None:
    output = run_step(shell("echo one; echo two; echo err >&2"), run)
    assert output == ProcessOutput(stdout="one\ntwo", exit_code=0)
    assert sorted(lines(run)) == ["err", "one", "two"]


def test_lines_are_logged_while_the_container_runs(run: StepRun, engine: Engine) -> None:
    with ThreadPoolExecutor() as pool:
        ending = pool.submit(run_step, shell("echo early; sleep 600"), run)
        eventually(lambda: lines(run) == ["early"])
        assert not ending.done()
        run.cancellation.cancel("enough")
        with pytest.raises(StepCancelled, match="enough"):
            ending.result()


@pytest.mark.parametrize(
    ("command", "code", "meaning"),
    [
        pytest.param(["sh", "-c", "echo last words; exit 3"], 3, "exit code 3", id="x15-exit-3"),
        pytest.param(["/etc"], 126, "126 (the command cannot be executed)", id="x15-not-executable"),
        pytest.param(["nonsense"], 127, "127 (command not found)", id="x15-no-such-command"),
        pytest.param(["sh", "-c", "kill -KILL $$"], 137, "137 (SIGKILL)", id="x15-killed"),
        pytest.param(["sh", "-c", "kill -SEGV $$"], 139, "139 (SIGSEGV)", id="x15-crashed"),
    ],
)
def test_an_exit_code_fails_the_step(command: list[str], code: int, meaning: str, run: StepRun) -> None:
    failed = failure(step(*command), run)
    assert failed.message.endswith(meaning)
    assert IMAGE in failed.message
    assert failed.exit_code == code
    assert failed.tail == "\n".join(lines(run))


def test_x16_running_out_of_memory_is_named(run: StepRun) -> None:
    failed = failure(step("tail", "/dev/zero", memory=Plain("32m")), run)
    assert "exit code 137 (out of memory: a process was killed at the limit of 32 MiB" in failed.message


def test_x17_a_child_that_ran_out_of_memory_is_at_least_a_warning(run: StepRun) -> None:
    output = run_step(shell("tail /dev/zero; exit 0", memory=Plain("32m")), run)
    assert output.exit_code == 0
    assert lines(run)[-1].startswith("out of memory: a process was killed at the limit of 32 MiB")


def test_x18_a_container_that_ignores_term_is_gone_soon_after_its_timeout(run: StepRun, engine: Engine) -> None:
    started = time.monotonic()
    failed = failure(step(*STUBBORN), run, timeout=3)
    assert time.monotonic() - started < 3 + 2 * LEEWAY
    assert isinstance(failed, StepTimedOut)
    assert failed.message == "timed out after 3s"
    assert failed.tail == "ready"
    assert engine.containers() == []


@pytest.mark.parametrize(
    ("made", "timeout", "end"),
    [
        pytest.param(step("true"), None, NoneType, id="success"),
        pytest.param(step("nonsense"), None, StepFailed, id="failure"),
        pytest.param(step("sleep", "600"), 1, StepTimedOut, id="timeout"),
        pytest.param(step("true", user="nobody"), None, StepFailed, id="refused-by-the-engine"),
    ],
)
def test_the_container_is_removed(made: Docker, timeout: float | None, end: type, run: StepRun, engine: Engine) -> None:
    error = None
    try:
        run_step(made, run, timeout)
    except StepFailed as failed:
        error = failed
    assert type(error) is end
    assert engine.containers() == []


def test_a_container_that_cannot_be_started_says_why(run: StepRun) -> None:
    failed = failure(step("true", user="nobody"), run)
    assert failed.message.startswith(f"the container of image `{IMAGE}` could not be started: ")
    assert "unable to find user nobody" in failed.message


def test_the_container_is_removed_when_the_run_is_cancelled(run: StepRun, engine: Engine) -> None:
    async def cancelled() -> None:
        work = asyncio.create_task(perform(step("sleep", "600"), run))
        await asyncio.to_thread(eventually, engine.running)
        work.cancel()
        await work

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled())
    assert engine.containers() == []


def test_x19_what_a_killed_attempt_left_is_removed_before_the_next(run: StepRun, engine: Engine) -> None:
    labels = {"flowmill.key": run.key}
    left = engine.client.containers.run(IMAGE, ["sleep", "600"], detach=True, init=True, labels=labels)
    assert run_step(step("echo", "next"), run).stdout == "next"
    assert engine.containers() == []
    assert lines(run)[0] == f"removing container `{left.name}`, which an earlier attempt left behind"


def test_x22_two_runs_at_once_do_not_disturb_each_other(tmp_path: Path, engine: Engine) -> None:
    runs = [step_run(tmp_path, key=f"{engine.key}-{number}") for number in range(2)]
    made = shell("until [ -e /data/go ]; do sleep 0.1; done; echo done", volumes=["./shared:/data"])
    (tmp_path / "shared").mkdir()
    with ThreadPoolExecutor() as pool:
        endings = [pool.submit(run_step, made, run) for run in runs]
        eventually(lambda: all(engine.containers(run.key) for run in runs))
        (tmp_path / "shared" / "go").touch()
        assert [ending.result().stdout for ending in endings] == ["done", "done"]


def test_the_environment_is_exact_and_its_values_are_shown_nowhere(tmp_path: Path, engine: Engine) -> None:
    run = step_run(tmp_path, key=engine.key, environ={"TOKEN": "canary 1\nx", "EMPTY": ""})
    output = run_step(shell("env; exec >/dev/null; cat /proc/1/environ"), run)
    names = {line.partition("=")[0] for line in output.stdout.splitlines() if "=" in line}
    assert names - {"PWD", "SHLVL"} == {"TOKEN", "EMPTY", "PATH", "HOSTNAME", "HOME", "FLOWMILL_RESULT"}
    assert "TOKEN=canary 1\nx" in output.stdout
    del lines(run)[:]
    shown = [failure(step("nonsense"), run), failure(step("true", user="nobody"), run)]
    assert "canary" not in str([*shown, *lines(run)])


def test_a_rendered_value_stays_one_argument(run: StepRun) -> None:
    made = step("sh", "-c", 'for each; do echo "[$each]"; done', "sh", Rendered("a b; echo c"), Rendered(""))
    assert run_step(made, run).stdout == "[a b; echo c]\n[]"


def test_i18_an_argument_is_never_an_option_of_the_engine(run: StepRun) -> None:
    made = step("-v/:/h", "--privileged", entrypoint=["echo", "-"])
    assert run_step(made, run).stdout == "- -v/:/h --privileged"


def test_i19_a_container_has_no_rights_of_root_and_a_limit_of_each_thing(run: StepRun, engine: Engine) -> None:
    script = "grep -E 'CapEff|NoNewPrivs' /proc/self/status; chown 1 /tmp; echo ready; sleep 600"
    with ThreadPoolExecutor() as pool:
        ending = pool.submit(run_step, shell(script, cpus=Plain("0.5")), run)
        eventually(lambda: "ready" in lines(run))
        [container] = engine.running()
        run.cancellation.cancel("seen")
        assert isinstance(ending.exception(), StepCancelled)
    rights = {"CapEff:\t0000000000000000", "NoNewPrivs:\t1", "chown: /tmp: Operation not permitted"}
    assert rights < set(lines(run))
    limits = container.attrs["HostConfig"]
    assert (limits["Memory"], limits["MemorySwap"]) == (2 * 1024**3, 2 * 1024**3)
    assert (limits["PidsLimit"], limits["NanoCpus"], limits["Init"]) == (512, 500_000_000, True)
    assert limits["LogConfig"]["Config"] == {"max-size": "10m", "max-file": "1"}
    assert str(container.name).startswith(f"flowmill-{run.key}-1-")
    assert container.labels == {
        "flowmill.project": "demo",
        "flowmill.flow": "it",
        "flowmill.environment": "staging",
        "flowmill.run": "run-1",
        "flowmill.step": "it",
        "flowmill.key": run.key,
        **owner.labels(),
    }


def test_a_file_beside_the_spec_is_mounted_read_only(run: StepRun) -> None:
    (run.directory / "query.sql").write_text("select 1\n")
    made = shell("cat query.sql; echo x > query.sql", volumes=["./query.sql:/app/query.sql:ro"], working_dir="/app")
    failed = failure(made, run)
    assert {"select 1", "sh: can't create query.sql: Read-only file system"} == set(lines(run))
    assert failed.exit_code == 1
    assert (run.directory / "query.sql").read_text() == "select 1\n"


def test_a_named_volume_outlives_the_container(run: StepRun, engine: Engine) -> None:
    volume = engine.client.volumes.create()
    try:
        run_step(shell("echo kept > /data/file", volumes=[f"{volume.name}:/data"]), run)
        assert run_step(step("cat", "/data/file", volumes=[f"{volume.name}:/data"]), run).stdout == "kept"
    finally:
        volume.remove()


def test_a_link_that_has_taken_the_place_of_a_folder_is_not_mounted(run: StepRun) -> None:
    made = step("true", volumes=["./data:/data"])
    (run.directory / "data").mkdir()
    assert made.problems(run.directory, run.root) == []
    (run.directory / "data").rmdir()
    (run.directory / "data").symlink_to("/etc")
    assert "through a link" in failure(made, run).message


@pytest.mark.parametrize("network", ["none", "bridge"])
def test_a_network_is_joined_by_name(network: str, run: StepRun) -> None:
    output = run_step(step("cat", "/proc/net/dev", network=network), run)
    assert ("eth0" in output.stdout) == (network == "bridge")


def test_i17_the_hosts_network_is_refused_under_its_id_as_well(run: StepRun, engine: Engine) -> None:
    [network] = engine.client.networks.list(names=["host"])
    assert "is the host's own" in failure(step("true", network=network.id), run).message
    assert "does not exist" in failure(step("true", network="nonsense"), run).message


def test_x21_endless_output_takes_no_memory(run: StepRun) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    output = run_step(shell(f"yes {'0123456789' * 20} | head -c 30000000; echo; echo end"), run)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < 25, f"{grown} MiB"
    assert len(output.stdout) < 300_000
    assert output.stdout.endswith("\nend")


def test_x13_an_engine_that_does_not_answer_is_given_up(run: StepRun, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{silent.getsockname()[1]}")
        failed = failure(step("true"), run, timeout=9)
    assert isinstance(failed, EngineUnreachable)
    assert "timed out" in failed.message


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who may not use the engine")
def test_x13_a_socket_that_is_not_for_the_worker_is_told_from_a_missing_engine(engine: Engine) -> None:
    code = (
        "import os, docker\n"
        "from flowmill_tasks._docker_container import engine\n"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "with engine(): pass"
    )
    environ = {"PYTHONPATH": os.pathsep.join(sys.path), "HOME": "/"}
    ended = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True)
    assert "(permission denied); the worker's user has to be in the group `docker`" in ended.stderr


def test_an_engine_that_goes_away_fails_the_step_and_the_next_attempt_cleans_up(
    run: StepRun, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = CuttableLine()
    with ThreadPoolExecutor() as pool, monkeypatch.context() as patch:
        patch.setenv("DOCKER_HOST", line.address)
        ending = pool.submit(run_step, shell("echo ready; sleep 600"), run)
        eventually(lambda: lines(run) == ["ready"])
        line.cut()
        error = ending.exception()
    assert isinstance(error, EngineUnreachable)
    assert "went away" in error.message
    assert "is left behind" in lines(run)[-1]
    assert len(engine.running()) == 1
    run_step(step("true"), run)
    assert engine.containers() == []


@pytest.mark.parametrize("policy", ["never", "once"])
def test_x14_an_image_that_nobody_has_is_named_soon(policy: str, run: StepRun) -> None:
    started = time.monotonic()
    image = "127.0.0.1:9/nobody/has-this:1"
    failed = failure(step("true", image=image, pull=policy), run)
    assert time.monotonic() - started < LEEWAY
    assert f"image `{image}`" in failed.message
    assert failed.permanent == (policy == "never")


def test_a_failing_pull_tells_of_the_image_on_the_machine(run: StepRun) -> None:
    failed = failure(step("true", pull="always", pull_retries=Plain("0")), run)
    assert failed.message.endswith("; `pull: missing` would use the one on this machine")


@pytest.mark.parametrize(
    ("policy", "pulls"), [("once", 1), ("always", 2), ("missing", 1)], ids=["once", "always", "missing"]
)
def test_two_steps_of_a_run_pull_as_often_as_they_say(
    policy: str, pulls: int, tmp_path: Path, engine: Engine, registry: ImageRegistry
) -> None:
    memory, image = RunMemory(), registry.image("v1")
    for number in range(2):
        run = step_run(tmp_path, key=f"{engine.key}-{number}", memory=memory)
        assert run_step(step(image=image, pull=policy), run).stdout == "pulled"
    assert registry.pulls == ["v1"] * pulls


def test_an_image_is_pulled_by_its_digest(run: StepRun, registry: ImageRegistry) -> None:
    image = f"{registry.image()}@{registry.digest}"
    assert run_step(step(image=image, pull="once"), run).stdout == "pulled"


def test_a_pull_is_tried_again(run: StepRun, registry: ImageRegistry) -> None:
    registry.failing = True
    keys = {"pull_retries": Plain("1"), "pull_retry_delay": Plain("1")}
    with ThreadPoolExecutor() as pool:
        ending = pool.submit(run_step, step(image=registry.image(), pull="once", **keys), run)
        eventually(lambda: lines(run)[-1:] and lines(run)[-1].endswith("pulling again in 1s"))
        registry.failing = False
        assert ending.result().stdout == "pulled"


def test_a_registry_that_asks_for_a_login_gets_it_and_no_other_does(run: StepRun, registry: ImageRegistry) -> None:
    registry.login = "me:canary-1"
    login = {"username": "me", "password": Rendered("canary-1"), "url": f"http://{registry.host}/v2"}
    keys = {"image": registry.image(), "pull": "once", "pull_retries": Plain("0")}
    refused = [failure(step(**keys), run), failure(step(**keys, registry={**login, "url": "ghcr.io"}), run)]
    assert "the login is for `ghcr.io`, but image" in refused[1].message
    assert registry.logins == set()
    assert run_step(step(**keys, registry=login), run).stdout == "pulled"
    assert registry.logins == {"me:canary-1"}
    assert "canary-1" not in str([*refused, *lines(run)])


def test_a_step_that_waits_for_a_silent_registry_can_be_stopped(run: StepRun, registry: ImageRegistry) -> None:
    registry.silent = True
    started = time.monotonic()
    failed = failure(step(image=registry.image(), pull="once"), run, timeout=1)
    assert isinstance(failed, StepTimedOut)
    assert time.monotonic() - started < 1 + LEEWAY
