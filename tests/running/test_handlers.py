"""Handlers run once per run and change nothing about it; `continue_on_error` lets a step fail alone."""

from pathlib import Path
from typing import Any

import pytest

from support.flows import Ran, run_spec, script, write_job
from support.prefect_server import PrefectServer

pytestmark = pytest.mark.prefect

NOTE = 'echo "$1" >> "$2"'
FAIL = "echo to no avail; exit 7"


def noted(folder: Path, id: str, more: str = "true") -> dict[str, Any]:
    """A step that leaves its id in the file `trail`, and then does more."""
    return script(id, f"{NOTE}; {more}", args=[id, str(folder / "trail")])


def trail(folder: Path) -> list[str]:
    return (folder / "trail").read_text().split()


def handled(server: PrefectServer, folder: Path, *commands: str) -> Ran:
    """A run of independent steps that has a handler of each kind."""
    steps = [script(f"step-{number}", command, needs=[]) for number, command in enumerate(commands)]
    handlers = {
        "on_failure": [noted(folder, "sorry"), noted(folder, "so-sorry")],
        "on_success": [noted(folder, "hooray")],
        "finally": [noted(folder, "bye")],
    }
    return run_spec(server, write_job(folder, *steps, **handlers))


@pytest.mark.parametrize(
    ("commands", "expected"),
    [
        pytest.param(["exit 1", "exit 2", "exit 3"], ["sorry", "so-sorry", "bye"], id="three-failures"),
        pytest.param(["true", "true"], ["hooray", "bye"], id="success"),
    ],
)
def test_handlers_run_once_per_run_in_order(
    prefect_server: PrefectServer, tmp_path: Path, commands: list[str], expected: list[str]
) -> None:
    handled(prefect_server, tmp_path, *commands)
    assert trail(tmp_path) == expected


def test_a_retried_step_does_not_call_the_handlers_again(prefect_server: PrefectServer, tmp_path: Path) -> None:
    once = script("once", '[ -e "$1" ] || { touch "$1"; exit 1; }', args=[str(tmp_path / "was-here")], retries=1)
    ran = run_spec(prefect_server, write_job(tmp_path, once, on_failure=[noted(tmp_path, "sorry")]))
    assert ran.states() == {"once": "Completed"}
    assert not (tmp_path / "trail").exists()


def test_a_handler_sees_the_first_failure_in_file_order(prefect_server: PrefectServer, tmp_path: Path) -> None:
    facts = ["${{ failure.step }}", "${{ failure.exit_code }}", "${{ failure.message }}", "${{ failure.output }}"]
    spec = write_job(
        tmp_path,
        script("late", "sleep 0.5; echo the reason; exit 7", needs=[]),
        script("early", "exit 1", needs=[]),
        on_failure=[script("tell", ["printf", "<%s>", *facts])],
    )
    lines = run_spec(prefect_server, spec).lines("tell")
    assert "<late><7><the command failed with exit code 7><the reason>" in lines


@pytest.mark.parametrize("handler", ["on_success", "finally"])
def test_a_failing_handler_does_not_fail_a_run(prefect_server: PrefectServer, tmp_path: Path, handler: str) -> None:
    handlers: dict[str, Any] = {handler: [script("bad", FAIL), noted(tmp_path, "next")]}
    ran = run_spec(prefect_server, write_job(tmp_path, script("work"), **handlers))
    assert (ran.state.name, ran.state.message) == ("Completed", "1 step succeeded")
    assert ran.states() == {"work": "Completed", "bad": "Failed", "next": "Completed"}
    assert trail(tmp_path) == ["next"]
    assert "to no avail" in ran.lines("bad")


HANDLERS = {
    "none": [],
    "works": [script("tell")],
    "fails": [script("tell", FAIL)],
    "fails-then-works": [script("tell", FAIL), script("tell-again")],
}
OUTCOMES = {
    # (step 2 fails, continue_on_error): the states of the steps, the state of the run
    (False, False): ("Completed Completed Completed Completed", "Completed"),
    (False, True): ("Completed Completed Completed Completed", "Completed"),
    (True, False): ("Completed Failed Skipped Skipped", "Failed"),
    (True, True): ("Completed Failed Completed Completed", "Completed"),
}
HANDLER_STATES = {"none": "", "works": "Completed", "fails": "Failed", "fails-then-works": "Failed Completed"}


@pytest.mark.parametrize("handler", HANDLERS)
@pytest.mark.parametrize(("fails", "allowed"), list(OUTCOMES))
def test_x30_states_when_step_two_of_four_fails(
    prefect_server: PrefectServer, tmp_path: Path, fails: bool, allowed: bool, handler: str
) -> None:
    second = script("two", FAIL if fails else "true", continue_on_error=allowed)
    steps = [script("one"), second, script("three"), script("four")]
    ran = run_spec(prefect_server, write_job(tmp_path, *steps, on_failure=HANDLERS[handler]))
    states = ran.states()
    expected, expected_run = OUTCOMES[fails, allowed]
    assert [states.pop(step["id"]) for step in steps] == expected.split()
    assert ran.state.name == expected_run
    failed = expected_run == "Failed"
    assert list(states.values()) == (HANDLER_STATES[handler].split() if failed else [])
    assert ran.state.message == _message(fails, failed)


def _message(fails: bool, failed: bool) -> str:
    if failed:
        return "step `two` failed: the command failed with exit code 7; skipped: three, four"
    return "3 steps succeeded; allowed to fail: two" if fails else "4 steps succeeded"
