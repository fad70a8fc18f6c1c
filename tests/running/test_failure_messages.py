"""What goes wrong only when a run has begun is one readable sentence that names the key, never a traceback."""

from pathlib import Path
from typing import Any

import pytest

from flowmill.local.select import plan_of
from flowmill.running.runtime import Runtime
from flowmill_tasks.registry import discover
from support.flows import DictSecrets, Ran, flowmill, run_plan, script, write_job
from support.prefect_server import PrefectServer

MAIL = {"type": "email", "from": "flows@example.org", "subject": "it", "text": "it", "smtp": "${{ secrets.mail }}"}
DOCKER = {"type": "docker", "image": "acme/etl:1", "pull": "never"}
SECRETS = {"store": {"key": "osprey"}, "word": "plover", "odd": {"a": None}, "bad name": {"a b": "c"}}


def value(expression: str) -> str:
    return f"${{{{ {expression} }}}}"


STEPS: dict[str, tuple[dict[str, Any], str]] = {
    "no-secret": (script("", env={"A": value("secrets.absent")}), "there is no secret `absent`"),
    "no-key": (script("", env={"A": value("secrets.store.kee")}), "`secrets.store.kee`"),
    "no-group": (script("", env_from="absent"), "there is no secret `absent`"),
    "no-map": (script("", env_from="word"), "secret `word` is one value, but `env_from` needs a map of keys"),
    "null-key": (script("", env_from="odd"), "key `a` of secret `odd` is null"),
    "bad-key": (script("", env_from="bad name"), "`a b` is not a name for an environment variable"),
    "memory": ({**DOCKER, "memory": value("parameters.words")}, "`memory`: expected a size such as `512m`"),
    "cpus": ({**DOCKER, "cpus": value("parameters.words")}, "`cpus`: expected a number"),
    "recipient": ({**MAIL, "to": value("parameters.words")}, "`to"),
    "subject": ({**MAIL, "to": "a@example.org", "subject": value("parameters.lines")}, "`subject`: must be one line"),
    "number": (script("", ["echo", value("parameters.words | int")]), "parameters.words | int"),
    "zero": (script("", ["echo", value("1 / parameters.zero")]), "1 / parameters.zero"),
    "json": (script("", ["echo", value("parameters.words | parse_json")]), "parameters.words | parse_json"),
    "outside": ({"type": "script", "file": value("parameters.path")}, "`../../etc/passwd`"),
}
PARAMETERS = {
    "words": {"type": "string", "default": "no such thing"},
    "lines": {"type": "string", "default": "one\nBcc: two@example.org"},
    "zero": {"type": "integer", "default": 0},
    "path": {"type": "string", "default": "../../etc/passwd"},
}


def write_failing(folder: Path) -> Path:
    """A flow whose steps fail one beside the other, each for another reason."""
    steps = [{**step, "id": id, "needs": [], "retries": 1} for id, (step, _) in STEPS.items()]
    return write_job(folder, *steps, parameters=PARAMETERS)


@pytest.fixture(scope="module")
def failed(prefect_server: PrefectServer, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    spec = write_failing(tmp_path_factory.mktemp("failing"))
    runtime = Runtime(spec.parent, discover(), DictSecrets(SECRETS), outbox=spec.parent / "outbox")
    return run_plan(prefect_server, plan_of(spec, "staging"), runtime)


@pytest.mark.prefect
@pytest.mark.parametrize("step", STEPS)
def test_the_message_names_what_is_wrong(failed: Ran, step: str) -> None:
    assert failed.states()[step] == "Failed"
    message = failed.message(step)
    assert STEPS[step][1] in message
    assert "\n" not in message
    assert "is broken" not in message
    assert message in failed.lines(step)


@pytest.mark.prefect
def test_no_traceback_is_shown_and_nothing_is_tried_again(failed: Ran) -> None:
    assert "Traceback" not in failed.text()
    assert {step: task.run_count for step, task in failed.tasks.items()} == dict.fromkeys(STEPS, 1)
    assert failed.state.name == "Failed"
    assert "step `no-secret` failed: there is no secret `absent`" in (failed.state.message or "")


def test_a_dry_run_shows_what_it_can_of_such_a_flow(tmp_path: Path) -> None:
    spec = write_failing(tmp_path)
    finished = flowmill("run", spec, "--dry-run", cwd=spec.parent)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert finished.stdout.count("cannot be shown before the run: ") >= 5
    assert "`memory`: expected a size" in finished.stdout
