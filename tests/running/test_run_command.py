"""`flowmill run` as a command: what it accepts, prints and returns, against the session's server."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flowmill.local.select import plan_of
from support.flows import (
    FLOWMILL,
    JOB,
    Finished,
    Ran,
    flow_runs,
    flowmill,
    read_run,
    run_id,
    script,
    write_job,
    write_workspace,
)
from support.prefect_server import PrefectServer
from support.slack import slack_endpoint
from support.smtp import mail_server, parsed
from support.waiting import PATIENCE

pytestmark = pytest.mark.prefect

PARAMETERS = {
    "count": {"type": "integer", "default": 3, "minimum": 1, "maximum": 9},
    "ratio": {"type": "number", "default": 0.5},
    "loud": {"type": "boolean", "default": False},
    "who": {"type": "string", "default": "world", "choices": ["world", "007", "O'Hara; rm -rf $HOME"]},
}
SHOW = ["printf", "[%s]", *(f"${{{{ parameters.{name} }}}}" for name in PARAMETERS)]


def run(spec: Path, *options: object, **environ: str) -> Finished:
    return flowmill("run", spec, *options, cwd=spec.parent, **environ)


def kept(server: PrefectServer, finished: Finished, spec: Path, environment: str = "staging") -> Ran:
    return read_run(server, run_id(finished.stdout), plan_of(spec, environment))


def events(output: str) -> list[str]:
    """The lines of a run up to its end, without their times, which are all that differs from run to run."""
    lines = [re.sub(r"^\d\d:\d\d:\d\d | in \d+\.\d+s", "", line) for line in output.splitlines()]
    return lines[: next(index for index, line in enumerate(lines, 1) if line.startswith("run "))]


def test_a_run_in_a_pipe_is_plain_lines(prefect_server: PrefectServer, tmp_path: Path) -> None:
    spec = write_job(tmp_path, script("hello", "echo hi; printf '\\033[31mred'"), script("bye", "echo bye"))
    finished = run(spec)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert events(finished.stdout) == [
        f"demo.job in staging, run {run_id(finished.stdout)}",
        "hello started: script",
        "hello | hi",
        r"hello | \x1b[31mred",
        "hello ok",
        "bye   started: script",
        "bye   | bye",
        "bye   ok",
        "run succeeded: 2 steps succeeded",
    ]
    assert kept(prefect_server, finished, spec).states() == {"hello": "Completed", "bye": "Completed"}


def test_a_failed_run_ends_with_1_and_says_where(prefect_server: PrefectServer, tmp_path: Path) -> None:
    spec = write_job(tmp_path, script("load", "echo why; exit 4", retries=1), script("publish"))
    finished = run(spec)
    assert (finished.returncode, finished.stderr) == (1, "")
    assert events(finished.stdout)[1:] == [
        "load    started: script",
        "load    | why",
        "load    | the command failed with exit code 4",
        "load    tries again in 0s",
        "load    started: script (attempt 2 of 2)",
        "load    | why",
        "load    | the command failed with exit code 4",
        "load    failed",
        "publish skipped because `load` failed",
        "run failed: step `load` failed: the command failed with exit code 4; skipped: publish",
    ]
    assert kept(prefect_server, finished, spec).state.name == "Failed"


def test_parameters_are_typed_and_stay_one_argument(prefect_server: PrefectServer, tmp_path: Path) -> None:
    spec = write_job(tmp_path, script("show", SHOW), parameters=PARAMETERS)
    given = ["count=9", "ratio=2", "loud=true", "who=O'Hara; rm -rf $HOME"]
    finished = run(spec, *(word for text in given for word in ("--set", text)))
    assert "| [9][2.0][true][O'Hara; rm -rf $HOME]" in finished.stdout
    ran = kept(prefect_server, finished, spec)
    assert ran.run.parameters == {"count": 9, "ratio": 2.0, "loud": True, "who": "O'Hara; rm -rf $HOME"}


def test_text_that_looks_like_a_number_stays_text(tmp_path: Path) -> None:
    spec = write_job(tmp_path, script("show", SHOW), parameters=PARAMETERS)
    assert "printf '[%s]' 3 0.5 false 007\n" in run(spec, "--set", "who=007", "--dry-run").stdout


REFUSED = {
    "count=ten": "parameter `count`: expected a value of type integer, got `ten`",
    "count=1.5": "parameter `count`: expected a value of type integer, got `1.5`",
    "count=0": "parameter `count`: must be at least 1, got `0`",
    "count=10": "parameter `count`: must be at most 9, got `10`",
    "loud=yes": "parameter `loud`: expected a value of type boolean, got `yes`",
    "who=nobody": "parameter `who`: expected one of: world, 007, O'Hara; rm -rf $HOME, got `nobody`",
    "cuont=3": "there is no parameter `cuont`; did you mean `count`?",
    "count": "`count` is not of the form name=value",
}


@pytest.mark.parametrize("given", REFUSED)
def test_a_parameter_that_does_not_fit_is_refused(tmp_path: Path, given: str) -> None:
    spec = write_job(tmp_path, script("show", SHOW), parameters=PARAMETERS)
    finished = run(spec, "--set", given)
    assert (finished.returncode, finished.stdout) == (2, "")
    assert f"Error: {REFUSED[given]}\n" in finished.stderr


def test_a_parameter_without_a_default_must_be_given(tmp_path: Path) -> None:
    parameters = {"day": {"type": "string"}}
    spec = write_job(tmp_path, script("show", ["echo", "${{ parameters.day }}"]), parameters=parameters)
    refused = run(spec, "--dry-run")
    assert refused.returncode == 2
    assert "parameter `day` has no default: give it with --set day=" in refused.stderr
    assert "echo monday\n" in run(spec, "--set", "day=monday", "--dry-run").stdout


def diamond(folder: Path) -> Path:
    steps = [script("top"), script("left", needs="top"), script("right", needs="top")]
    return write_job(folder, *steps, script("bottom", needs=["left", "right"]))


def test_a_run_from_one_step_on_leaves_the_others_out(prefect_server: PrefectServer, tmp_path: Path) -> None:
    spec = diamond(tmp_path)
    finished = run(spec, "--from", "right")
    assert finished.returncode == 0
    assert "left   not selected for this run" in finished.stdout
    states = kept(prefect_server, finished, spec).states()
    assert states == {"top": "Skipped", "left": "Skipped", "right": "Completed", "bottom": "Completed"}


def test_one_step_alone_can_be_rehearsed(tmp_path: Path) -> None:
    shown = run(diamond(tmp_path), "--only", "right", "--dry-run").stdout
    assert [line for line in shown.splitlines() if "(script" in line] == ["right (script, after top)"]


MISTAKES = {
    "only": (["--only", "extrct"], "there is no step `extrct`; did you mean `extract`?"),
    "from": (["--from", "extrct"], "there is no step `extrct`; did you mean `extract`?"),
    "both": (["--only", "extract", "--from", "extract"], "give --only or --from, not both"),
    "environment": (["--env", "stagin"], "did you mean `staging`?"),
    "schedule": (["--on-schedule"], "demo.job has no schedule in staging"),
}


@pytest.mark.parametrize(("options", "message"), MISTAKES.values(), ids=list(MISTAKES))
def test_a_wrong_option_ends_with_2_and_a_suggestion(tmp_path: Path, options: list[str], message: str) -> None:
    finished = run(write_job(tmp_path, script("extract"), script("load")), *options)
    assert (finished.returncode, finished.stdout) == (2, "")
    assert message in finished.stderr


def test_a_wrong_spec_ends_with_1_and_starts_nothing(prefect_server: PrefectServer, tmp_path: Path) -> None:
    spec = write_job(tmp_path / "wrong-spec", script("extract", needs="nothing"))
    finished = run(spec)
    assert (finished.returncode, finished.stdout) == (1, "")
    assert "there is no step `nothing` [unknown-step]" in finished.stderr


def test_the_environment_decides(tmp_path: Path) -> None:
    spec = write_job(tmp_path, script("show", "echo in ${{ environment }}"), environment=["staging", "production"])
    assert "in production" in run(spec, "--dry-run", "--env", "production").stdout
    assert "in staging" in run(spec, "--dry-run").stdout


@pytest.fixture
def rehearsed(tmp_path: Path) -> Path:
    """A flow of a name of its own, with a secret, a result and a handler, that would leave a file."""
    steps = [
        script("load", ["touch", "canary", "${{ parameters.who }}"], env={"KEY": "${{ secrets.store.key }}"}),
        script("publish", ["echo", "${{ steps.load.stdout }}"], env_from="store"),
    ]
    handler = {"type": "slack", "webhook": "${{ secrets.slack.url }}", "text": "${{ failure.step }}"}
    parameters = {"who": {"type": "string", "default": "two words"}}
    flow = {**JOB, "steps": steps, "on_failure": [handler], "parameters": parameters}
    return write_workspace(tmp_path, {"demo/rehearsed.yaml": flow}) / "demo/rehearsed.yaml"


def test_a_dry_run_prints_the_commands_and_starts_nothing(prefect_server: PrefectServer, rehearsed: Path) -> None:
    finished = run(rehearsed, "--dry-run", FLOWMILL_SECRET_STORE='{"key": "osprey-4411"}')
    assert (finished.returncode, finished.stderr) == (0, "")
    assert finished.stdout.splitlines() == [
        "demo.rehearsed in staging: a dry run, nothing is started",
        "",
        "load (script)",
        "  KEY=***",
        "  touch canary 'two words'",
        "",
        "publish (script, after load)",
        "  every key of the secret store",
        "  echo '<steps.load.stdout>'",
        "",
        "on_failure: on_failure_1 (slack)",
        f"  slack: to the outbox {rehearsed.parent / 'outbox'}",
        "    <failure.step>",
    ]
    assert not (rehearsed.parent / "canary").exists()
    assert flow_runs(prefect_server, "demo.rehearsed") == 0


def message_steps() -> list[dict[str, Any]]:
    mail = {"type": "email", "to": "ops@example.org", "from": "flows@example.org", "subject": "done"}
    return [
        {"id": "mail", **mail, "text": "all of it", "smtp": "${{ secrets.mail }}"},
        {"id": "tell", "type": "slack", "webhook": "${{ secrets.slack.url }}", "text": "all is done"},
    ]


def test_messages_go_to_the_outbox_unless_they_are_to_be_delivered(
    prefect_server: PrefectServer, tmp_path: Path
) -> None:
    spec = write_job(tmp_path, *message_steps())
    outbox = spec.parent / "outbox"
    with mail_server() as mail, slack_endpoint() as slack:
        secrets = {
            "FLOWMILL_SECRET_MAIL": json.dumps(mail.settings()),
            "FLOWMILL_SECRET_SLACK": json.dumps({"url": slack.webhook}),
        }
        local = run(spec)
        assert (local.returncode, mail.received, slack.requests) == (0, [], [])
        assert local.stdout.endswith("messages were not sent: they are in outbox/ (--deliver sends them)\n")
        letter, message = sorted(outbox.iterdir())
        assert parsed(letter.read_bytes())["Subject"] == "done"
        assert json.loads(message.read_bytes())["text"] == "all is done"

        delivered = run(spec, "--deliver", **secrets)
        assert delivered.returncode == 0, delivered.stdout
        assert [received.recipients for received in mail.received] == [["ops@example.org"]]
        assert [request.json()["text"] for request in slack.requests] == ["all is done"]
        assert len(list(outbox.iterdir())) == 2


def test_the_run_goes_on_when_nobody_reads_any_more(prefect_server: PrefectServer, tmp_path: Path) -> None:
    trail = tmp_path / "trail"
    chatty = 'for number in $(seq 20); do echo "$number"; sleep 0.02; done; echo done >> "$1"'
    spec = write_job(tmp_path, *(script(id, chatty, args=[str(trail)]) for id in ("one", "two")))
    command = [FLOWMILL, "run", str(spec)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=spec.parent) as process:
        assert process.stdout
        assert b"demo.job in staging" in process.stdout.readline()
        process.stdout.close()
        assert process.stderr
        assert process.stderr.read() == b""
    assert process.returncode == 0
    assert trail.read_text() == "done\ndone\n"


@pytest.fixture(scope="module", autouse=True)
def scheduled(
    prefect_server: PrefectServer, tmp_path_factory: pytest.TempPathFactory
) -> "Iterator[subprocess.Popen[str]]":
    """A run that waits for the next full minute, started before the other tests so that they need not wait."""
    spec = write_job(tmp_path_factory.mktemp("scheduled"), script("hello"), cron="* * * * *")
    command = [FLOWMILL, "run", str(spec), "--on-schedule"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=spec.parent) as process:
        yield process
        process.kill()


def test_the_next_fire_time_is_waited_for(scheduled: "subprocess.Popen[str]") -> None:
    output, _ = scheduled.communicate(timeout=PATIENCE)
    assert scheduled.returncode == 0
    waiting, _, began, *_ = output.splitlines()
    due = re.match(r"waiting for \d{4}-\d\d-\d\d (\d\d:\d\d) UTC, in .*; Ctrl-C gives up$", waiting)
    assert due, waiting
    assert re.match(rf"\d\d:{due[1][3:]}:\d\d hello started", began), began
